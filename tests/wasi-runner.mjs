// Cargo's runner for tests that are compiled to wasm32-wasip1. It runs one test binary, and exits with the binary's exit code.
import { readFile } from "node:fs/promises";
import process, { argv, env } from "node:process";
import { setFlagsFromString } from "node:v8";

// Without this flag, the garbage collector of Node 20 crashes ("unreachable code") when the memory of a large module
// grows during marking.
setFlagsFromString("--no-incremental-marking");

// Suppresses the warning that WASI is experimental, which Node prints for every binary.
process.removeAllListeners("warning");
const { WASI } = await import("node:wasi");

const [, , binary, ...args] = argv;
// The root is the only preopened folder, because tests use absolute paths. With more folders, Node would not resolve `..`.
const wasi = new WASI({ version: "preview1", args: [binary, ...args], env, preopens: { "/": "/" } });
const { instance } = await WebAssembly.instantiate(await readFile(binary), wasi.getImportObject());
// Does not call `process.exit`, which destroys the engine while its compiler threads still run and has crashed Node 20.
process.exitCode = wasi.start(instance);
