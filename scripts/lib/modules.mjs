// The WebAssembly modules of the package.
import { join } from "node:path";
import { anonymous, cargoTarget } from "./cargo.mjs";
import { run } from "./step.mjs";

/**
 * The crate of each module with its folder, and its features. `dist/wasm` contains a module as `orgo_NAME_bg.wasm`, and its JavaScript
 * glue as `orgo_NAME.js`.
 *
 * `wasm` is complete: servers load it, and pages whose bundler loses files. The other modules are the parts that a page loads on
 * demand. Their glue is also in `NAME.js`, with the URL of the module; `screen.js` also contains the page's side of the screen.
 */
export const MODULES = {
  wasm: { crate: "orgo-wasm", folder: "wasm", features: ["rest", "channels", "node"] },
  rest: { crate: "orgo-wasm", folder: "wasm", features: ["rest"] },
  channels: { crate: "orgo-wasm", folder: "wasm", features: ["channels"] },
  screen: { crate: "orgo-screen-wasm", folder: "wasm/screen", features: [] },
};

/** The names of the modules that a page loads by their URLs. */
export const PAGE_MODULES = ["rest", "channels"];

const PROFILE = "wasm";
const TARGET = "wasm32-unknown-unknown";
const PLAYOUT = "orgo-playout-wasm";

/** The compiled module that the npm package embeds in the audio worklet. It has no glue. */
export const playoutModule = () => join(cargoTarget(), TARGET, PROFILE, `${PLAYOUT.replaceAll("-", "_")}.wasm`);

const features = (module) => ["--no-default-features", "--features", MODULES[module].features.join()];

/**
 * Compiles the modules and their dependencies, except the variants of `orgo-wasm` with fewer features. wasm-pack does not compile the
 * dependencies again.
 */
export async function compileModules() {
  for (const module of ["wasm", "screen"]) await compile(MODULES[module].crate, features(module));
  await compile(PLAYOUT);
}

const compile = (crate, options = []) =>
  run("cargo", ["build", "--package", crate, "--profile", PROFILE, "--target", TARGET, ...options], { env: anonymous() });

/** Builds a module and its glue into a folder. They are not optimized for size yet. Returns the name of the files. */
export async function packModule(out, module) {
  const name = `orgo_${module}`;
  const options = ["--target", "web", "--mode", "no-install", "--profile", PROFILE, "--no-pack", "--no-typescript"];
  const args = ["build", MODULES[module].folder, ...options, "--out-dir", out, "--out-name", name, "--", ...features(module)];
  await run("wasm-pack", args, { env: anonymous() });
  return name;
}
