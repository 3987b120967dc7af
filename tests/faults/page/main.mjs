// A page that runs tasks with the WebAssembly binding.
import * as sdk from "orgo-sdk";
import { makeCall } from "../call.mjs";
import { trigger } from "../error-cases.mjs";

const tasks = { makeCall, trigger };

// Loads the module first, because the time limits are for calls only.
await sdk.Orgo.bindingInfo();
globalThis.run = (id, name, task) => tasks[name](sdk, task, () => globalThis.retries(id));
