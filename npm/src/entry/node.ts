import { createRequire } from "node:module";
import type { Binding, BindingClient } from "../binding.js";
import { loadNative } from "../bindings/native.js";
import { loadWasm } from "../bindings/wasm.js";
import { OrgoClient, type OrgoOptions } from "../client.js";
import { ConnectedComputer, type Connection, type ConnectionData, type ConnectOptions } from "../connection.js";
import { BindingError, invalidParameter } from "../errors.js";
import { type BindingInfo, type LoadedBinding, once, type Platform } from "../platform.js";
import { explainFailure, proxyWarning } from "../proxies.js";

export * from "../index.js";

/** Loads the addon, and modules of Node that few programs need, at their first use. */
const requireModule = createRequire(import.meta.url);

const platform: Platform = {
  load: once(load),
  environment: (name) => process.env[name],
  exposed: () => false,
  warning: ({ kind }, url) => (kind() === "wasm" ? proxyWarning(url) : undefined),
  readable: (bytes) => {
    const { Readable } = requireModule("node:stream") as typeof import("node:stream");
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
    const { binding, ...info } = await platform.load();
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
    return { binding: loadNative(requireModule) };
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
  const { readFile } = await import("node:fs/promises");
  const { binding } = await loadWasm(() => readFile(new URL("./wasm/orgo_wasm_bg.wasm", import.meta.url)), explainFailure);
  return typeof WebSocket === "undefined" ? withoutSockets(binding) : binding;
}

/** Wraps a binding for a platform without `WebSocket`: opening a channel throws an error that explains this. */
function withoutSockets(binding: Binding): Binding {
  class Client extends binding.Client implements BindingClient {
    override open(): never {
      const message = "terminal, audio and events need the global WebSocket of Node 22 or newer, or the native addon";
      throw new BindingError({ kind: "binding", message, delivered: "no" });
    }
  }
  return { ...binding, Client };
}
