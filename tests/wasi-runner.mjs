// Cargo's runner for tests compiled to wasm32-wasip1: runs one test binary and ends with its exit code.
import { readFile } from "node:fs/promises";
import process, { argv, env } from "node:process";
import { setFlagsFromString } from "node:v8";

// Node 20 crashes in its own collector ("unreachable code") when the memory of a large module grows while it marks.
setFlagsFromString("--no-incremental-marking");

// Node says that WASI is experimental, once for every binary.
process.removeAllListeners("warning");
const { WASI } = await import("node:wasi");

const [, , binary, ...args] = argv;
// Tests name their fixtures by absolute paths. A second folder would keep Node from resolving `..` in them.
const wasi = new WASI({ version: "preview1", args: [binary, ...args], env, preopens: { "/": "/" } });
const { instance } = await WebAssembly.instantiate(await readFile(binary), wasi.getImportObject());
// Leaving at once would tear the engine down under its own compiler threads, which has crashed Node 20.
process.exitCode = wasi.start(instance);
