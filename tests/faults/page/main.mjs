// The page that does what it is told.
import * as sdk from "orgo-sdk";
import { make } from "../client.mjs";
import { provoke } from "../provocations.mjs";

const work = { make, provoke };

// What is limited are calls, not the loading of the module.
await sdk.Orgo.bindingInfo();
globalThis.work = (id, name, task) => work[name](sdk, task, () => globalThis.retries(id));
