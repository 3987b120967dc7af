// The files that a page loads on demand. Bundlers find them by the literal `new URL` and `import` expressions.

import type * as CompleteGlueModule from "../bindings/wasm/orgo_wasm.js";
import type { Glue as WasmGlue } from "../bindings/wasm.js";
import { messageOf } from "../errors.js";
import type * as ScreenScriptModule from "../screen/page.js";
import { Asset } from "./asset.js";
import { embeddedWasm, readEmbedded } from "./embedded.js";
import { isModule, isUrl, settings, useWasmSetting } from "./options.js";

type ScreenScript = typeof ScreenScriptModule;
type CompleteGlue = typeof CompleteGlueModule;
type Location = string | URL;
type WasmSource = Location | BufferSource | WebAssembly.Module;

/** The source of a module, and the function that imports its JavaScript glue. */
interface Source<Name, Glue> {
  name: Name;
  glue(): Promise<Glue>;
  file: WasmSource;
}

async function importOnDemand<Code>(run: () => Promise<Code>): Promise<Code> {
  try {
    return await run();
  } catch (error) {
    if (!("ServiceWorkerGlobalScope" in globalThis)) throw error;
    // Service workers have no `import()`.
    const remedy = "bundle the service worker into one file, for example with esbuild without --splitting";
    throw new Error(`${messageOf(error)}; ${remedy}`, { cause: error });
  }
}

const completeGlue = () => importOnDemand(() => import("../bindings/wasm/orgo_wasm.js"));

/** A file that contains a part of the binding. */
export type WasmAsset<Name, Glue> = Asset<Source<Name, Glue>>;

/**
 * Describes the module of a part. A configured module and the embedded copy are complete (`wasm`), so that there is only one file
 * to configure, and one to embed.
 */
function part<Name extends "rest" | "channels", Glue>(
  name: Name,
  load: () => Promise<Glue & { moduleUrl(): URL }>,
): WasmAsset<Name | "wasm", Glue | CompleteGlue> {
  const complete = (file: WasmSource) => ({ name: "wasm" as const, glue: completeGlue, file });
  return new Asset<Source<Name | "wasm", Glue | CompleteGlue>>({
    configured: () => {
      const file = useWasmSetting() as WasmSource | undefined;
      return file === undefined ? undefined : complete(file);
    },
    url: async () => {
      const glue = await importOnDemand(load);
      return { name, glue: async () => glue, file: glue.moduleUrl() };
    },
    embedded: async () => complete(await gunzip(await embeddedWasm())),
    remedy: wasmRemedy,
  });
}

function wasmRemedy(): string {
  return typeof document === "undefined"
    ? 'if this platform compiles no WebAssembly at run time: import wasm from "orgo-sdk/orgo.wasm"; configure({ wasm })'
    : "if there is a Content-Security-Policy, it must contain script-src 'wasm-unsafe-eval'";
}

/** The classes of the channels, which a page downloads with its first channel. */
export const loadClasses = () => importOnDemand(() => import("../channel/classes.js"));

/** The code of uploads, which a page downloads with its first upload. */
export const loadUploads = () => importOnDemand(() => import("../upload/content.js"));

/** The WebAssembly modules of a page. */
export const modules = {
  rest: part("rest", () => import("../bindings/wasm/rest.js")),
  channels: part("channels", () => import("../bindings/wasm/channels.js")),
};

/**
 * The script with the part of the live screen, which a page downloads with its first screen. The script imports the second one, which
 * a browser would find only after it has downloaded the first one.
 */
export const loadScreenScript = () =>
  importOnDemand(async () => {
    const [script] = await Promise.all([import("../screen/page.js"), import("../channel/base.js")]);
    return script;
  });

/** The module of the live screen. */
export const screenModule: WasmAsset<"screen", ScreenScript> = new Asset<Source<"screen", ScreenScript>>({
  configured: () => (settings.screenWasm === undefined ? undefined : screenSource(settings.screenWasm as WasmSource)),
  url: async () => screenSource((await loadScreenScript()).moduleUrl()),
  embedded: async () => screenSource(await gunzip(await readEmbedded("screen-wasm", () => import("./embedded/screen-wasm.js")))),
  remedy: wasmRemedy,
});

const screenSource = (file: WasmSource) => ({ name: "screen" as const, glue: loadScreenScript, file });

// The query prevents Vite from converting the scripts to data URLs, which a strict Content-Security-Policy blocks.

/** Describes a worker. `setting` is the name of the option with its URL, and `read` reads the embedded copy. */
const workerAsset = (setting: "workerUrl" | "screenWorkerUrl", read: () => Promise<string>, url: () => URL) =>
  new Asset<Location>({
    configured: () => settings[setting] as Location | undefined,
    url,
    embedded: async () => blobUrl(await read()),
    remedy: () => "if there is a Content-Security-Policy, it must contain worker-src blob:",
  });

const audioWorker = (url: () => URL) =>
  workerAsset("workerUrl", () => readEmbedded("worker", () => import("./embedded/worker.js")), url);

const screenWorker = (url: () => URL) =>
  workerAsset("screenWorkerUrl", () => readEmbedded("screen-worker", () => import("./embedded/screen-worker.js")), url);

/** The audio worker for each module. The configured one and the embedded copy support both modules. */
export const workers = {
  wasm: audioWorker(() => new URL("./audio/worker.js?no-inline", import.meta.url)),
  channels: audioWorker(() => new URL("./audio/channels-worker.js?no-inline", import.meta.url)),
};

/** The worker of a screen for each module that runs its connection. The configured one and the embedded copy support both modules. */
export const screenWorkers = {
  wasm: screenWorker(() => new URL("./screen/screen-worker.js?no-inline", import.meta.url)),
  channels: screenWorker(() => new URL("./screen/screen-channels-worker.js?no-inline", import.meta.url)),
};

/** The audio worklet. */
export const worklet = new Asset<Location>({
  configured: () => settings.workletUrl as Location | undefined,
  url: () => new URL("./audio/worklet.js?no-inline", import.meta.url),
  embedded: async () => blobUrl(await readEmbedded("worklet", () => import("./embedded/worklet.js"))),
  remedy: () => "if there is a Content-Security-Policy, it must contain script-src blob:",
});

/** Compiles a WebAssembly module, and initializes its JavaScript glue. */
export const loadModule = <Name, Loaded extends Pick<WasmGlue, "init">>(asset: WasmAsset<Name, Loaded>) =>
  asset.use(async (source) => {
    const compiled = await compileSource(source);
    await compiled.glue.init({ module_or_path: compiled.module });
    return compiled;
  });

/** Compiles a WebAssembly module, and loads its JavaScript glue, without an instance of the module. */
export const compileModule = <Name, Loaded>(asset: WasmAsset<Name, Loaded>) => asset.use(compileSource);

async function compileSource<Name, Loaded>({ name, glue, file }: Source<Name, Loaded>) {
  const [loaded, module] = await Promise.all([glue(), compile(file)]);
  // The glue would keep a foreign module without imports, also for the embedded copy. Other foreign modules cannot be linked.
  if (WebAssembly.Module.imports(module).length === 0) throw new Error("the file is not a module of orgo-sdk");
  return { name, glue: loaded, module };
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
