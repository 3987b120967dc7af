// The WebAssembly modules of the package. Each is a build of the crate `wasm` with some of its features.
import { anonymous } from "./cargo.mjs";
import { run } from "./step.mjs";

/**
 * The features of each module. `dist/wasm` contains a module as `orgo_NAME_bg.wasm`, and its JavaScript glue as `orgo_NAME.js`.
 *
 * `wasm` is complete: servers load it, and pages whose bundler loses files. The other modules are the parts that a page loads on
 * demand. Their glue is also in `NAME.js`, with the URL of the module.
 */
export const MODULES = {
  wasm: ["rest", "channels", "node"],
  rest: ["rest"],
  channels: ["channels"],
};

/** The names of the modules that a page loads by their URLs. */
export const PAGE_MODULES = Object.keys(MODULES).filter((name) => name !== "wasm");

/** Builds a module and its glue into a folder. They are not optimized for size yet. Returns the name of the files. */
export async function packModule(out, module) {
  const name = `orgo_${module}`;
  const pack = ["--target", "web", "--mode", "no-install", "--profile", "wasm", "--no-pack", "--no-typescript"];
  const cargo = ["--no-default-features", "--features", MODULES[module].join()];
  const args = ["build", "wasm", ...pack, "--out-dir", out, "--out-name", name, "--", ...cargo];
  await run("wasm-pack", args, { env: anonymous() });
  return name;
}
