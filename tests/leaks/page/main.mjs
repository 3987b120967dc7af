// The page whose module's memory is measured.
import * as sdk from "orgo-sdk";
import { prepare } from "../load.mjs";

// The memory is the module's own affair, so it is caught where the module is made.
let memory;
for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...given) => {
    const made = await original.apply(WebAssembly, given);
    // The build gives it a name of its own.
    memory = Object.values((made.instance ?? made).exports).find((value) => value instanceof WebAssembly.Memory);
    return made;
  };
}

let works;
globalThis.prepare = (port) => {
  works = prepare(sdk, port);
};
globalThis.work = (kind, count) => works[kind](count);
globalThis.moduleMemory = () => memory.buffer.byteLength;
