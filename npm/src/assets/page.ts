// The files that a page loads on demand. Bundlers find them by the literal `new URL` and `import` expressions.

import { messageOf } from "../errors.js";
import { Asset } from "./asset.js";
import { embeddedWasm, readEmbedded } from "./embedded.js";
import { isModule, isUrl, settings, useWasmSetting } from "./options.js";

type Location = string | URL;
type WasmSource = Location | BufferSource | WebAssembly.Module;

async function loadGlue() {
  try {
    return await import("../bindings/wasm/page.js");
  } catch (error) {
    if (!("ServiceWorkerGlobalScope" in globalThis)) throw error;
    // Service workers have no `import()`.
    const remedy = "bundle the service worker into one file, for example with esbuild without --splitting";
    throw new Error(`${messageOf(error)}; ${remedy}`, { cause: error });
  }
}

/** The WebAssembly module. */
export const wasm = new Asset<WasmSource>({
  configured: () => useWasmSetting() as WasmSource | undefined,
  url: async () => (await loadGlue()).moduleUrl(),
  embedded: async () => gunzip(await embeddedWasm()),
  remedy: () =>
    typeof document === "undefined"
      ? 'if this platform compiles no WebAssembly at run time: import wasm from "orgo-sdk/orgo.wasm"; configure({ wasm })'
      : "if there is a Content-Security-Policy, it must contain script-src 'wasm-unsafe-eval'",
});

// The query prevents Vite from converting the scripts to data URLs, which a strict Content-Security-Policy blocks.

/** The audio worker. */
export const worker = new Asset<Location>({
  configured: () => settings.workerUrl as Location | undefined,
  url: () => new URL("./audio/worker.js?no-inline", import.meta.url),
  embedded: async () => blobUrl(await readEmbedded("worker", () => import("./embedded/worker.js"))),
  remedy: () => "if there is a Content-Security-Policy, it must contain worker-src blob:",
});

/** The audio worklet. */
export const worklet = new Asset<Location>({
  configured: () => settings.workletUrl as Location | undefined,
  url: () => new URL("./audio/worklet.js?no-inline", import.meta.url),
  embedded: async () => blobUrl(await readEmbedded("worklet", () => import("./embedded/worklet.js"))),
  remedy: () => "if there is a Content-Security-Policy, it must contain script-src blob:",
});

/** Loads the WebAssembly module and its JavaScript glue. */
export async function loadModule() {
  const [glue, module] = await Promise.all([loadGlue(), wasm.use(compile)]);
  return { glue, module };
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (isModule(source)) return source;
  if (!isUrl(source)) return WebAssembly.compile(source as BufferSource);
  const response = await fetch(source as Location);
  if (!response.ok) throw new Error(`${source}: status ${response.status}`);
  // `compileStreaming` requires this type, which not every server sends.
  if (response.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(response);
  // Next converts calls of `compile` in a way that does not permit `await` in the argument.
  const bytes = await response.arrayBuffer();
  return WebAssembly.compile(bytes).catch((error: Error) => {
    throw new Error(`${source}: ${error.message}`, { cause: error });
  });
}

async function gunzip(base64: string): Promise<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** Returns a URL of a script. It is never revoked, because the script may be started again. */
const blobUrl = (code: string) => URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
