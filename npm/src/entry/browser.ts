import type { WebAssemblyModule } from "../ambient.js";
import { play } from "../audio/play.js";
import { withAudioWorkers } from "../audio/remote.js";
import type { InitInput } from "../bindings/wasm/orgo_wasm.js";
import { loadWasm } from "../bindings/wasm.js";
import { OrgoClient, type OrgoOptions } from "../client.js";
import { ConnectedComputer, type Connection, type ConnectionData, type ConnectOptions } from "../connection.js";
import { invalid } from "../errors.js";
import { checkFields } from "../options.js";
import { type BindingInfo, once, type Platform } from "../platform.js";

export * from "../index.js";

/** Where the files are that the package loads when they are needed, if a bundler does not find them. */
export interface AssetOptions {
  /** The WebAssembly module: its URL, its bytes, or the compiled module. The package exports it as `orgo-sdk/wasm`. */
  wasm?: string | { readonly href: string } | ArrayBuffer | Uint8Array | WebAssemblyModule;
  /** The URL of the audio worklet. The package exports it as `orgo-sdk/worklet`. */
  workletUrl?: string | { readonly href: string };
  /**
   * The URL of the worker that owns a sound channel, on the page's own origin. The package exports it as
   * `orgo-sdk/worker`. Where there can be none, the page's thread takes its place.
   */
  workerUrl?: string | { readonly href: string };
}

const assets: AssetOptions = {};
let loading = false;

const platform: Platform = {
  load: once(async () => {
    loading = true;
    const { wasm } = assets;
    const { binding, module } = await loadWasm(wasm === undefined ? undefined : () => wasm as InitInput);
    return { binding: hasWorkers() ? withAudioWorkers(binding, module, workerUrl) : binding };
  }),
  environment: () => undefined,
  // A document or a worker of one. Servers that run this entry have neither.
  exposed: () =>
    typeof document !== "undefined" || ("WorkerGlobalScope" in globalThis && navigator.userAgent !== "Cloudflare-Workers"),
  play: (sound, options, expectedRate) => play(sound, options, expectedRate, workletUrl()),
};

// Bundlers take the literals for assets; the query keeps Vite from putting them into the page as data URLs, which a
// strict Content-Security-Policy refuses.
const workletUrl = () => (assets.workletUrl as string | URL | undefined) ?? new URL("./worklet.js?no-inline", import.meta.url);
const workerUrl = () => (assets.workerUrl as string | URL | undefined) ?? new URL("./worker.js?no-inline", import.meta.url);

/** Whether sound channels go into workers: in a document, whose thread has other work to do. */
const hasWorkers = () => typeof document !== "undefined" && typeof Worker !== "undefined";

/** Says where the package's files are. To be called before anything is loaded; needed only if a bundler moves them. */
export function configure(options: AssetOptions): void {
  const url = {
    accepts: (value: unknown) => typeof value === "string" || value instanceof URL,
    wanted: "a URL",
  };
  checkFields("configure", "options", options, {
    workletUrl: url,
    workerUrl: url,
    wasm: { accepts: (value) => url.accepts(value) || typeof value === "object", wanted: "a URL, bytes or a module" },
  });
  if (loading && options.wasm !== undefined) {
    throw invalid("configure", "wasm", "must be set before the first call: the module is loaded already");
  }
  Object.assign(assets, options);
}

/**
 * A client of the service in a page.
 *
 * An API key does not belong into a page. To work one computer, use {@link Orgo.connect} with a connection that your
 * server made.
 */
export class Orgo extends OrgoClient {
  constructor(options: OrgoOptions = {}) {
    super(platform, options);
  }

  /** The channels of one computer by what {@link Computer.connection} gave, without an API key. Makes no call. */
  static connect(connection: Connection | ConnectionData, options?: ConnectOptions): ConnectedComputer {
    return new ConnectedComputer(platform, connection, options);
  }

  /** Loads the binding, unless it is loaded, and tells which one it is. */
  static async bindingInfo(): Promise<BindingInfo> {
    const { binding } = await platform.load();
    return { kind: binding.kind(), version: binding.version() };
  }
}
