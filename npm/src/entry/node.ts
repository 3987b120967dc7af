import Module from "node:module";
import { embeddedWasm } from "../assets/embedded.js";
import { isModule, isUrl, useWasmSetting } from "../assets/options.js";
import type { Binding } from "../binding.js";
import { nodeHost, withSockets } from "../bindings/host.js";
import { location, sibling } from "../bindings/location.js";
import { loadNative, type NativeSources } from "../bindings/native.js";
import { localTarget } from "../bindings/targets.js";
import { loadWasm } from "../bindings/wasm.js";
import * as classes from "../channel/classes.js";
import { Screen } from "../channel/screen.js";
import { OrgoClient, type OrgoOptions } from "../client.js";
import { ConnectedComputer, type Connection, type ConnectionData, type ConnectOptions } from "../connection.js";
import { BindingError, invalidParameter } from "../errors.js";
import { type BindingInfo, type LoadedBinding, once, type Platform } from "../platform.js";
import { proxyWarning } from "../proxies.js";
import { openContent } from "../upload/content.js";
import { openPath } from "../upload/path.js";

export { type AssetOptions, configure } from "../assets/options.js";
export * from "../channel/classes.js";
export * from "../index.js";
export { Screen };

const loadOnce = once(load);

const platform: Platform = {
  load: loadOnce,
  environment: (name) => process.env[name],
  exposed: () => false,
  warning: ({ kind }, url) => (kind() === "wasm" ? proxyWarning(url) : undefined),
  classes: () => classes,
  screen: (channel) => new Screen(channel),
  openContent,
  openFile: (path) => openPath(Module.createRequire(location())("node:fs/promises"), path),
  readable: (bytes) => {
    // Loading this module takes longer than loading the rest of the package, and few programs need it.
    const { Readable } = Module.createRequire(location())("node:stream") as typeof import("node:stream");
    return Readable.from(bytes, { objectMode: false });
  },
};

/**
 * A client of the service in Node. It has no resources that need to be closed.
 *
 * A native addon handles the network. If it cannot be loaded, the WebAssembly module is used instead. The environment variable
 * `ORGO_BINDING` (`native` or `wasm`) selects one of them.
 */
export class Orgo extends OrgoClient {
  /**
   * Creates a client. It makes no call.
   *
   * @throws InvalidParameterError for an invalid option.
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
   * Loads the implementation if necessary, and returns its kind and version, and the reason for a fallback to WebAssembly.
   *
   * @throws BindingError if neither the addon nor WebAssembly can be loaded.
   */
  static async bindingInfo(): Promise<BindingInfo> {
    const { binding, ...info } = await loadOnce();
    return { kind: binding.kind(), version: binding.version(), ...info };
  }
}

async function load(): Promise<LoadedBinding> {
  const forced = process.env.ORGO_BINDING || undefined;
  if (forced !== undefined && forced !== "native" && forced !== "wasm") {
    throw invalidParameter("Orgo", "ORGO_BINDING", 'must be "native" or "wasm" if it is set');
  }
  if (forced === "wasm") return { binding: await wasm() };
  try {
    return { binding: loadNative(addon, localTarget()) };
  } catch (cause) {
    if (forced === "native") throw cause;
    const binding = await wasm().catch((error: Error) => {
      const message = `${(cause as Error).message}; and ${error.message}`;
      throw new BindingError({ kind: "binding", message, delivered: "no", cause: new AggregateError([cause, error]) });
    });
    return { binding, fallback_cause: cause };
  }
}

async function wasm(): Promise<Binding> {
  const { glue } = await loadWasm(async () => {
    const missing = ["fetch", "TextDecoder", "TextEncoder"].filter((name) => !(name in globalThis));
    if (missing.length > 0) {
      throw new Error(
        `there is no global ${missing.join(", ")}. Jest provides them with testEnvironment "node", not with "jsdom"`,
      );
    }
    const [glue, module] = await Promise.all([import("../bindings/wasm/orgo_wasm.js"), compile()]);
    return { glue, module };
  }, nodeHost);
  return withSockets(glue);
}

const addon: NativeSources = {
  // Bundlers do not recognize `createRequire` as a property, so they do not try to bundle the addon.
  require: (path) => Module.createRequire(location())(path),
  sibling,
};

/** Compiles the embedded module: server bundlers lose or change separate files. URLs are settings for pages. */
async function compile(): Promise<WebAssembly.Module> {
  const configured = useWasmSetting();
  if (configured === undefined || isUrl(configured)) {
    const { gunzipSync } = await import("node:zlib");
    return WebAssembly.compile(gunzipSync(Buffer.from(await embeddedWasm(), "base64")));
  }
  return isModule(configured) ? configured : WebAssembly.compile(configured as BufferSource);
}
