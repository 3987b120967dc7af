// The page that runs the vectors. The test calls the methods of the page's subject.
import * as sdk from "orgo-sdk";
import * as glue from "../../../npm/dist/wasm/orgo_rest.js";
import { makeSubject } from "../subject.mjs";

const file = new URL("../../../npm/dist/wasm/orgo_rest_bg.wasm", import.meta.url);
await glue.init({ module_or_path: await WebAssembly.compile(await (await fetch(file)).arrayBuffer()) });
globalThis.subject = makeSubject(sdk, glue);
