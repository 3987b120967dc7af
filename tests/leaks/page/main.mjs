// The page whose module's memory is measured.
import { load } from "../load.mjs";

// The memory is the module's own affair, so it is caught where the module is made.
let memory;
for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...given) => {
    const made = await original.apply(WebAssembly, given);
    memory = (made.instance ?? made).exports.memory;
    return made;
  };
}

async function measure() {
  // What the module holds for an object of JavaScript is freed when that is collected, in a task of its own.
  await globalThis.collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 20));
  return memory.buffer.byteLength;
}

globalThis.load = async (port, counts) => load(await import("orgo-sdk"), port, counts, measure);
