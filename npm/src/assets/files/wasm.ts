import type { AssetOptions } from "../options.js";

/** The WebAssembly module, as the bundler or the platform imports it: compiled, or its URL. It is an option of `configure`. */
declare const wasm: NonNullable<AssetOptions["wasm"]>;
export default wasm;
