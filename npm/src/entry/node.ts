import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import type { Binding, BindingClient } from "../binding.js";
import { loadNative } from "../bindings/native.js";
import { loadWasm } from "../bindings/wasm.js";
import { OrgoClient, type OrgoOptions } from "../client.js";
import { ConnectedComputer, type Connection, type ConnectionData, type ConnectOptions } from "../connection.js";
import { BindingError, invalid } from "../errors.js";
import { type BindingInfo, type LoadedBinding, once, type Platform } from "../platform.js";
import { explainFailure, proxyWarning } from "../proxies.js";

export * from "../index.js";

const platform: Platform = {
  load: once(load),
  environment: (name) => process.env[name],
  exposed: () => false,
  warning: ({ kind }, url) => (kind() === "wasm" ? proxyWarning(url) : undefined),
  readable: (bytes) => Readable.from(bytes, { objectMode: false }),
};

/**
 * A client of the service in Node. It holds no connection that has to be closed.
 *
 * The network is worked by a native addon. Where that cannot be loaded, the WebAssembly module for pages takes its
 * place. The environment variable `ORGO_BINDING` (`native` or `wasm`) forces one of them.
 */
export class Orgo extends OrgoClient {
  constructor(options: OrgoOptions = {}) {
    super(platform, options);
  }

  /** The channels of one computer by what {@link Computer.connection} gave, without an API key. Makes no call. */
  static connect(connection: Connection | ConnectionData, options?: ConnectOptions): ConnectedComputer {
    return new ConnectedComputer(platform, connection, options);
  }

  /** Loads the binding, unless it is loaded, and tells which one it is and why. */
  static async bindingInfo(): Promise<BindingInfo> {
    const { binding, ...info } = await platform.load();
    return { kind: binding.kind(), version: binding.version(), ...info };
  }
}

async function load(): Promise<LoadedBinding> {
  const forced = process.env.ORGO_BINDING || undefined;
  if (forced !== undefined && forced !== "native" && forced !== "wasm") {
    throw invalid("Orgo", "ORGO_BINDING", 'must be "native", "wasm" or not set');
  }
  if (forced === "wasm") return { binding: await wasm() };
  try {
    return { binding: loadNative(createRequire(import.meta.url)) };
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
  const { binding } = await loadWasm(() => readFile(new URL("./wasm/orgo_wasm_bg.wasm", import.meta.url)), explainFailure);
  return typeof WebSocket === "undefined" ? withoutSockets(binding) : binding;
}

/** The binding where the platform has no `WebSocket`: calls work, channels say what is missing. */
function withoutSockets(binding: Binding): Binding {
  class Client extends binding.Client implements BindingClient {
    override open(): never {
      const message = "terminal, sound and events over WebAssembly need the global WebSocket of Node 22 or newer";
      throw new BindingError({ kind: "binding", message, delivered: "no" });
    }
  }
  return { ...binding, Client };
}
