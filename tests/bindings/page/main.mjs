// The page that works the vectors; the test calls the methods of its subject.
import * as sdk from "orgo-sdk";
import init, { Client } from "../../../npm/dist/wasm/orgo_wasm.js";
import { makeSubject } from "../subject.mjs";

await init();
globalThis.subject = makeSubject(sdk, (config, log) => new Client(config, log));
