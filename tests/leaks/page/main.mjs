// The page whose memory is measured.
import * as sdk from "orgo-sdk";
import { prepare } from "../load.mjs";

// The memory of the module is not public, so these wrappers get the memory when the module is instantiated.
let memory;
for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...args) => {
    const result = await original.apply(WebAssembly, args);
    // The build chooses the name of the export.
    memory = Object.values((result.instance ?? result).exports).find((value) => value instanceof WebAssembly.Memory);
    return result;
  };
}

let loads;
globalThis.prepare = (port) => {
  loads = prepare(sdk, port);
};
globalThis.run = (kind, count) => loads[kind](count);
globalThis.moduleMemory = () => memory.buffer.byteLength;
