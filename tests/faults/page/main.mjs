// The page that does what it is told.
import * as sdk from "orgo-sdk";
import { make } from "../call.mjs";
import { provoke } from "../error-cases.mjs";

const work = { make, provoke };

// What is limited are calls, not the loading of the module.
await sdk.Orgo.bindingInfo();
globalThis.work = (id, name, task) => work[name](sdk, task, () => globalThis.retries(id));
