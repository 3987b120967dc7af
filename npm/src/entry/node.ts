import type Module from "node:module";
import { useWasmSetting } from "../assets/options.js";
import type { Binding } from "../binding.js";
import { location, sibling } from "../bindings/location.js";
import { loadNative, type NativeSources } from "../bindings/native.js";
import type * as NodeWasm from "../bindings/node-wasm.js";
import { localTarget } from "../bindings/targets.js";
import { loadedClasses } from "../channel/on-demand.js";
import { OrgoClient, type OrgoOptions } from "../client.js";
import { ConnectedComputer, type Connection, type ConnectionData, type ConnectOptions } from "../connection.js";
import { BindingError, invalidParameter, notLoaded } from "../errors.js";
import { type BindingInfo, type LoadedBinding, once, type Platform } from "../platform.js";
import { openPath } from "../upload/path.js";

export { type AssetOptions, configure } from "../assets/options.js";
export { AudioStream, Channel, EventStream, Player, Screen, Terminal } from "../channel/on-demand.js";
export * from "../index.js";

const loadOnce = once(load);

/** Node's module `module`, once the binding is loaded. Importing it earlier would take a tenth of the time of this script. */
let nodeModule!: typeof Module;

/** Returns a built-in module of Node, an addon or a package. Bundlers do not recognize `createRequire` as a property, so they include neither. */
const requireLater = (path: string): unknown => nodeModule.createRequire(location())(path);

/** The code for the WebAssembly module, once it is used. */
let nodeWasm: typeof NodeWasm | undefined;

const platform: Platform = {
  load: loadOnce,
  environment: (name) => process.env[name],
  exposed: () => false,
  warning: ({ kind }, url) => (kind() === "wasm" ? nodeWasm?.proxyWarning(url) : undefined),
  classes: async () => {
    const classes = await import("../channel/classes.js").catch(notLoaded("channels"));
    Object.assign(loadedClasses, classes);
    return classes;
  },
  screenClass: async () => {
    const { Channel, Screen } = await import("../screen/node.js").catch(notLoaded("screens"));
    Object.assign(loadedClasses, { Channel, Screen });
    return Screen;
  },
  openContent: async (...parts) => {
    const { openContent } = await import("../upload/content.js").catch(notLoaded("uploads"));
    return openContent(...parts);
  },
  openFile: async (path) => openPath(await import("node:fs/promises"), path),
  readable: (bytes) => {
    // Loading this module takes longer than loading the rest of the package, and few programs need it.
    const { Readable } = requireLater("node:stream") as typeof import("node:stream");
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
   * Creates a client. It makes no call. The first call checks the API key, the URLs and the headers.
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
  nodeModule = (await import("node:module")).default;
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
  nodeWasm = await import("../bindings/node-wasm.js");
  return nodeWasm.loadWasmBinding(useWasmSetting);
}

const addon: NativeSources = { require: requireLater, sibling };
