// The WebAssembly modules of the package.
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { anonymous, cargoTarget } from "./cargo.mjs";
import { root, run } from "./step.mjs";

/**
 * The crate of each module, and its features. `dist/wasm` contains a module as `orgo_NAME_bg.wasm`, and its JavaScript glue as `orgo_NAME.js`.
 *
 * `wasm` is complete: servers load it, and pages whose bundler loses files. The other modules are the parts that a page loads on
 * demand. Their glue is also in `NAME.js`, with the URL of the module; `screen.js` also contains the page's side of the screen.
 */
export const MODULES = {
  wasm: { crate: "orgo-wasm", features: ["rest", "channels", "node"] },
  rest: { crate: "orgo-wasm", features: ["rest"] },
  channels: { crate: "orgo-wasm", features: ["channels"] },
  screen: { crate: "orgo-screen-wasm", features: [] },
};

/** The names of the modules that a page loads by their URLs. */
export const PAGE_MODULES = ["rest", "channels"];

/** The folder of the compiled modules. Cargo writes several of them to the same file. */
export const COMPILED = join(root, "target/modules");

const TARGET = "wasm32-unknown-unknown";
const BINDGEN = ["--package", "orgo-bindgen", "--profile", "tool"];

/** Compiles a module into `COMPILED`. */
export async function compileModule(module) {
  const { crate, features } = MODULES[module];
  await compile(crate, ["--no-default-features", "--features", features.join()], `${module}.wasm`);
}

/** Compiles the module that the npm package embeds in the audio worklet. It has no glue. */
export async function compilePlayout() {
  await compile("orgo-playout-wasm", [], "playout.wasm");
}

async function compile(crate, features, file) {
  await run("cargo", ["build", "--package", crate, "--profile", "wasm", "--target", TARGET, ...features], { env: anonymous() });
  mkdirSync(COMPILED, { recursive: true });
  copyFileSync(join(cargoTarget(), TARGET, "wasm", `${crate.replaceAll("-", "_")}.wasm`), join(COMPILED, file));
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
