import { test } from "bun:test";
import * as sdk from "orgo-sdk";
import { work } from "./work.mjs";

test("the SDK works", () => work(sdk), 60_000);
