// The page that runs the vectors. The test calls the methods of the page's subject.
import * as sdk from "orgo-sdk";
import * as glue from "../../../npm/dist/wasm/orgo_rest.js";
import { makeSubject } from "../subject.mjs";

await glue.init({ module_or_path: new URL("../../../npm/dist/wasm/orgo_rest_bg.wasm", import.meta.url) });
globalThis.subject = makeSubject(sdk, glue);
