import type { WebAssemblyModule } from "../ambient.js";
import { play } from "../audio/play.js";
import { withAudioWorkers } from "../audio/remote.js";
import type { InitInput } from "../bindings/wasm/orgo_wasm.js";
import { loadWasm } from "../bindings/wasm.js";
import { OrgoClient, type OrgoOptions } from "../client.js";
import { ConnectedComputer, type Connection, type ConnectionData, type ConnectOptions } from "../connection.js";
import { invalidParameter } from "../errors.js";
import { checkFields } from "../options.js";
import { type BindingInfo, once, type Platform } from "../platform.js";

export * from "../index.js";

/** The locations of the files that the package loads on demand, for bundlers that do not find them. */
export interface AssetOptions {
  /**
   * The WebAssembly module: its URL, its bytes, or the compiled module. The package exports the file as `orgo-sdk/wasm`. Default:
   * the file next to the bundle.
   */
  wasm?: string | { readonly href: string } | ArrayBuffer | Uint8Array | WebAssemblyModule;
  /** The URL of the audio worklet. The package exports the file as `orgo-sdk/worklet`. Default: the file next to the bundle. */
  workletUrl?: string | { readonly href: string };
  /**
   * The URL of the audio worker, which must have the origin of the page. The package exports the file as `orgo-sdk/worker`.
   * Default: the file next to the bundle. If the worker cannot be started, audio channels run in the main thread.
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
  // Returns `true` in a document or a worker, but not in a server that uses this entry point.
  exposed: () =>
    typeof document !== "undefined" || ("WorkerGlobalScope" in globalThis && navigator.userAgent !== "Cloudflare-Workers"),
  play: (source, options, expectedRate) => play(source, options, expectedRate, workletUrl()),
};

// Bundlers find the files by these `new URL` expressions. The query prevents Vite from converting the files to data URLs, which a
// strict Content-Security-Policy blocks.
const workletUrl = () => (assets.workletUrl as string | URL | undefined) ?? new URL("./worklet.js?no-inline", import.meta.url);
const workerUrl = () => (assets.workerUrl as string | URL | undefined) ?? new URL("./worker.js?no-inline", import.meta.url);

/** Returns whether audio channels run in workers: only in a document, whose main thread may be busy. */
const hasWorkers = () => typeof document !== "undefined" && typeof Worker !== "undefined";

/**
 * Sets the locations of the files that the package loads on demand. Needed only if the bundler does not find them.
 *
 * @throws InvalidParameterError for an invalid option, and for `wasm` after the module is loaded.
 */
export function configure(options: AssetOptions): void {
  const url = {
    accepts: (value: unknown) => typeof value === "string" || value instanceof URL,
    expected: "a URL",
  };
  checkFields("configure", "options", options, {
    workletUrl: url,
    workerUrl: url,
    wasm: { accepts: (value) => url.accepts(value) || typeof value === "object", expected: "a URL, bytes or a module" },
  });
  if (loading && options.wasm !== undefined) {
    throw invalidParameter("configure", "wasm", "must be set before the first call: the module is already loaded");
  }
  Object.assign(assets, options);
}

/**
 * A client of the service in a page.
 *
 * A page must not contain an API key. To open the channels of one computer, use {@link Orgo.connect} with a connection from your
 * server.
 */
export class Orgo extends OrgoClient {
  /**
   * Creates a client. It makes no call.
   *
   * @throws InvalidParameterError for an invalid option, and for an API key without `dangerouslyAllowBrowser`.
   */
  constructor(options: OrgoOptions = {}) {
    super(platform, options);
  }

  /**
   * Returns a handle that opens the channels of one computer without an API key. Makes no call.
   *
   * @param connection The result of {@link Computer.connection}, or its JSON.
   * @throws InvalidParameterError for an invalid connection or option.
   */
  static connect(connection: Connection | ConnectionData, options?: ConnectOptions): ConnectedComputer {
    return new ConnectedComputer(platform, connection, options);
  }

  /**
   * Loads the implementation if necessary, and returns its kind and version.
   *
   * @throws BindingError if it cannot be loaded.
   */
  static async bindingInfo(): Promise<BindingInfo> {
    const { binding } = await platform.load();
    return { kind: binding.kind(), version: binding.version() };
  }
}
