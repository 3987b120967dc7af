// The page in which calls meet faults.
import * as sdk from "orgo-sdk";
import { make } from "../client.mjs";

globalThis.make = (id, task) => make(sdk, task, () => globalThis.retries(id));
