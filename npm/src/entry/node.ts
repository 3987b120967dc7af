import type { Readable } from "node:stream";
import { useWasmSetting } from "../assets/options.js";
import type * as NodeBinding from "../bindings/node.js";
import { loadedClasses } from "../channel/on-demand.js";
import { OrgoClient, type OrgoOptions } from "../client.js";
import { ConnectedComputer, type Connection, type ConnectionData, type ConnectOptions } from "../connection.js";
import { notLoaded } from "../errors.js";
import { type BindingInfo, once, type Platform } from "../platform.js";

export { type AssetOptions, configure } from "../assets/options.js";
export { AudioStream, Channel, EventStream, Player, Screen, Terminal } from "../channel/on-demand.js";
export * from "../index.js";

/** The code that loads a binding, once it is used. */
let nodeBinding: typeof NodeBinding | undefined;

const loadCode = async () => {
  nodeBinding ??= await import("../bindings/node.js").catch(notLoaded("bindings"));
  return nodeBinding;
};
const load = once(async () => (await loadCode()).loadBinding(useWasmSetting));

const platform: Platform = {
  load,
  environment: (name) => process.env[name],
  exposed: () => false,
  warning: (binding, url) => nodeBinding?.proxyWarning(binding, url),
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
  holdStream: (stream) => {
    const { on, destroy, readableEnded } = (stream ?? {}) as Partial<Readable>;
    if (typeof on !== "function" || typeof destroy !== "function" || readableEnded === undefined) return;
    // A listener for `data` would get what arrives before the first read. Now it gets each piece when it is read.
    on.call(stream, "readable", () => {});
    on.call(stream, "error", () => {});
  },
  openContent: async (...parts) => {
    const { openContent } = await import("../upload/content.js").catch(notLoaded("uploads"));
    return openContent(...parts);
  },
  reading: () => import("../upload/node.js").catch(notLoaded("uploads")),
  // Only an open channel calls this.
  readable: (bytes) => (nodeBinding as typeof NodeBinding).readable(bytes),
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
    const { binding, ...info } = await load();
    return { kind: binding.kind(), version: binding.version(), ...info };
  }
}
