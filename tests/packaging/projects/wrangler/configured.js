import { configure } from "orgo-sdk";
// Wrangler recognizes a module by the extension in the import.
import wasm from "./node_modules/orgo-sdk/dist/wasm/orgo_wasm_bg.wasm";
import worker from "./worker.js";

configure({ wasm });

export default worker;
