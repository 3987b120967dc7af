// The WebAssembly modules of the package. Each is a build of the crate `wasm` with some of its features.
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { anonymous, cargoTarget } from "./cargo.mjs";
import { root, run } from "./step.mjs";

/**
 * The features of each module. `dist/wasm` contains a module as `orgo_NAME_bg.wasm`, and its JavaScript glue as `orgo_NAME.js`.
 *
 * `wasm` is complete: servers load it, and pages whose bundler loses files. The other modules are the parts that a page loads on
 * demand. Their glue is also in `NAME.js`, with the URL of the module; `screen.js` also contains the page's side of the screen.
 */
export const MODULES = {
  wasm: ["rest", "channels", "node"],
  rest: ["rest"],
  channels: ["channels"],
  screen: ["screen"],
};

/** The names of the modules that a page loads by their URLs. */
export const PAGE_MODULES = ["rest", "channels"];

/** The folder of the compiled modules. Cargo writes each of them to the same file. */
export const COMPILED = join(root, "target/modules");

const TARGET = "wasm32-unknown-unknown";
const BINDGEN = ["--package", "orgo-bindgen", "--profile", "tool"];

/** Compiles a module into `COMPILED`. */
export async function compileModule(module) {
  const features = ["--no-default-features", "--features", MODULES[module].join()];
  await compile("orgo-wasm", features, "orgo_wasm.wasm", `${module}.wasm`);
}

/** Compiles the module that the npm package embeds in the audio worklet. It has no glue. */
export async function compilePlayout() {
  await compile("orgo-playout-wasm", [], "orgo_playout_wasm.wasm", "playout.wasm");
}

async function compile(crate, features, built, file) {
  await run("cargo", ["build", "--package", crate, "--profile", "wasm", "--target", TARGET, ...features], { env: anonymous() });
  mkdirSync(COMPILED, { recursive: true });
  copyFileSync(join(cargoTarget(), TARGET, "wasm", built), join(COMPILED, file));
}

/** Compiles the program that writes the JavaScript glue of the modules. */
export async function compileBindgen() {
  await run("cargo", ["build", ...BINDGEN]);
}

/**
 * Writes a compiled module and its JavaScript glue to a folder. They are not optimized for size yet. Returns the name of the files.
 */
export async function bindModule(out, module) {
  const name = `orgo_${module}`;
  await run("cargo", ["run", ...BINDGEN, "--", join(COMPILED, `${module}.wasm`), out, name]);
  return name;
}
