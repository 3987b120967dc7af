import * as sdk from "orgo-sdk";
import { test } from "vitest";
import { work } from "./work.mjs";

test("the SDK works", () => work(sdk), 60_000);
