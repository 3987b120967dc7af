import type { WebAssemblyModule } from "../ambient.js";
import { invalidParameter } from "../errors.js";
import { checkFields } from "../options.js";

/** The locations of the files that the package loads on demand. The package finds them itself; see {@link configure}. */
export interface AssetOptions {
  /**
   * The WebAssembly module: its URL, its bytes, or the compiled module. The package exports the file as `orgo-sdk/wasm`, and as
   * `orgo-sdk/orgo.wasm` for tools that recognize modules by their file extension. Default:
   * the file next to the bundle, or else a copy that is embedded in a script.
   */
  wasm?: string | { readonly href: string } | ArrayBuffer | Uint8Array | WebAssemblyModule;
  /**
   * The URL of the audio worklet. The package exports the file as `orgo-sdk/worklet`. Default: the file next to the bundle, or
   * else an embedded copy.
   */
  workletUrl?: string | { readonly href: string };
  /**
   * The URL of the audio worker, which must have the origin of the page. The package exports the file as `orgo-sdk/worker`.
   * Default: the file next to the bundle, or else an embedded copy. If the worker cannot be started, audio channels run in the
   * main thread.
   */
  workerUrl?: string | { readonly href: string };
  /**
   * The WebAssembly module of the live screen, like `wasm`. The package exports the file as `orgo-sdk/screen.wasm`. Default: the
   * file next to the bundle, or else an embedded copy.
   */
  screenWasm?: string | { readonly href: string } | ArrayBuffer | Uint8Array | WebAssemblyModule;
  /**
   * The URL of the worker of a live screen, which must have the origin of the page. The package exports the file as
   * `orgo-sdk/screen-worker`. Default: the file next to the bundle, or else an embedded copy. If the worker cannot be started,
   * the screen runs in the main thread.
   */
  screenWorkerUrl?: string | { readonly href: string };
}

/** The settings of {@link configure}. */
export const settings: AssetOptions = {};
let wasmInUse = false;

/** Returns the configured module. From now on, {@link configure} refuses another one. */
export function useWasmSetting(): AssetOptions["wasm"] {
  wasmInUse = true;
  return settings.wasm;
}

const isObject = (value: unknown) => typeof value === "object" && value !== null;

/** Returns whether a value is a URL, also one of another realm. */
export const isUrl = (value: unknown): value is string | { readonly href: string } =>
  typeof value === "string" || (isObject(value) && typeof (value as { href?: unknown }).href === "string");

/** Returns whether a value is a compiled module, also one of another realm. */
export const isModule = (value: unknown): value is WebAssemblyModule =>
  Object.prototype.toString.call(value) === "[object WebAssembly.Module]";

const isBytes = (value: unknown) => ArrayBuffer.isView(value) || Object.prototype.toString.call(value) === "[object ArrayBuffer]";

/**
 * Sets the locations of the files that the package loads on demand. Needed only for a separate location, for example because of a
 * Content-Security-Policy, and on platforms that compile no WebAssembly at run time. A configured file has no fallback.
 *
 * In Node, only the bytes or the compiled module of `wasm` have an effect: Node needs no URLs, because it loads the embedded copy.
 *
 * @throws InvalidParameterError for an invalid option, and for `wasm` after the module is loaded.
 */
export function configure(options: AssetOptions): void {
  const url = { accepts: isUrl, expected: "a URL" };
  const module = {
    accepts: (value: unknown) => isUrl(value) || isModule(value) || isBytes(value),
    expected: "a URL, an ArrayBuffer, a Uint8Array or a WebAssembly.Module",
  };
  checkFields("configure", "options", options, {
    workletUrl: url,
    workerUrl: url,
    wasm: module,
    screenWasm: module,
    screenWorkerUrl: url,
  });
  if (wasmInUse && options.wasm !== undefined) {
    throw invalidParameter("configure", "wasm", "must be set before the first call: the module is already loaded");
  }
  Object.assign(settings, options);
}
