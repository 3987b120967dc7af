// The WebAssembly modules of the package.
import { anonymous } from "./cargo.mjs";
import { run } from "./step.mjs";

/**
 * The crate of each module, and its features. `dist/wasm` contains a module as `orgo_NAME_bg.wasm`, and its JavaScript glue as `orgo_NAME.js`.
 *
 * `wasm` is complete: servers load it, and pages whose bundler loses files. The other modules are the parts that a page loads on
 * demand. Their glue is also in `NAME.js`, with the URL of the module; `screen.js` also contains the page's side of the screen.
 */
export const MODULES = {
  wasm: { crate: "wasm", features: ["rest", "channels", "node"] },
  rest: { crate: "wasm", features: ["rest"] },
  channels: { crate: "wasm", features: ["channels"] },
  screen: { crate: "wasm/screen", features: [] },
};

/** The names of the modules that a page loads by their URLs. */
export const PAGE_MODULES = ["rest", "channels"];

/** Builds a module and its glue into a folder. They are not optimized for size yet. Returns the name of the files. */
export async function packModule(out, module) {
  const name = `orgo_${module}`;
  const pack = ["--target", "web", "--mode", "no-install", "--profile", "wasm", "--no-pack", "--no-typescript"];
  const { crate, features } = MODULES[module];
  const cargo = features.length > 0 ? ["--no-default-features", "--features", features.join()] : [];
  const args = ["build", crate, ...pack, "--out-dir", out, "--out-name", name, "--", ...cargo];
  await run("wasm-pack", args, { env: anonymous() });
  return name;
}
