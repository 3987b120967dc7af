// Cargo's runner for tests compiled to wasm32-wasip1: runs one test binary with its arguments and ends with its exit code.
import { readFile } from "node:fs/promises";
import { argv, cwd, env, exit } from "node:process";

// Node says that WASI is experimental, once for every binary.
process.removeAllListeners("warning");
const { WASI } = await import("node:wasi");

const [, , binary, ...args] = argv;
// Tests read fixtures from their crate's folder, which is the working directory, and from those beside it.
const wasi = new WASI({ version: "preview1", args: [binary, ...args], env, preopens: { "/": "/", ".": cwd() } });
const { instance } = await WebAssembly.instantiate(await readFile(binary), wasi.getImportObject());
exit(wasi.start(instance));
