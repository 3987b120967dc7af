// The WebAssembly module in Node. A program loads this script only if it does not use the addon.

import { embeddedWasm } from "../assets/embedded.js";
import { type AssetOptions, isModule, isUrl } from "../assets/options.js";
import type { Binding } from "../binding.js";
import { nodeHost, withSockets } from "./host.js";
import { loadWasm } from "./wasm.js";

export { proxyWarning } from "../proxies.js";

/** Loads the complete module. `useSetting` returns the configured one. */
export async function loadWasmBinding(useSetting: () => AssetOptions["wasm"]): Promise<Binding> {
  const { glue } = await loadWasm(async () => {
    const missing = ["fetch", "TextDecoder", "TextEncoder"].filter((name) => !(name in globalThis));
    if (missing.length > 0) {
      throw new Error(
        `there is no global ${missing.join(", ")}. Jest provides them with testEnvironment "node", not with "jsdom"`,
      );
    }
    const [glue, module] = await Promise.all([import("./wasm/orgo_wasm.js"), compile(useSetting())]);
    await glue.init({ module_or_path: module });
    return { glue, module };
  }, nodeHost);
  return withSockets(glue);
}

/** Compiles the embedded module: server bundlers lose or change separate files. URLs are settings for pages. */
async function compile(configured: AssetOptions["wasm"]): Promise<WebAssembly.Module> {
  if (configured === undefined || isUrl(configured)) {
    const { gunzipSync } = await import("node:zlib");
    return WebAssembly.compile(gunzipSync(Buffer.from(await embeddedWasm(), "base64")));
  }
  return isModule(configured) ? configured : WebAssembly.compile(configured as BufferSource);
}
