// Uses the package from another context, and evaluates the package in another context.
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { dirname } = require("node:path");
const vm = require("node:vm");

/** Evaluates a CommonJS module in a context, and returns its exports. */
function load(context, path) {
  const parameters = ["exports", "require", "module", "__filename", "__dirname"];
  const options = { filename: path, parsingContext: context };
  const evaluate = vm.compileFunction(readFileSync(path, "utf8"), parameters, options);
  const module = { exports: {} };
  evaluate(module.exports, createRequire(path), module, path, dirname(path));
  return module.exports;
}

async function main() {
  const globals = {
    process,
    console,
    Buffer,
    URL,
    AbortController,
    AbortSignal,
    setTimeout,
    clearTimeout,
    TextDecoder,
    TextEncoder,
  };
  const { fetch, Headers, Request, Response, WebSocket, performance } = globalThis;
  const context = vm.createContext({ ...globals, fetch, Headers, Request, Response, WebSocket, performance, WebAssembly });
  const { work } = load(context, require.resolve("./work.cjs"));
  await work(require("orgo-sdk"));
  // The WebAssembly module is in a separate script, which `require` evaluates in the main context.
  if (process.env.ORGO_BINDING === "native") await work(load(context, require.resolve("orgo-sdk")));
}

main();
