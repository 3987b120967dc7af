import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import type { Binding } from "../binding.js";
import { type Addon, nativeBinding } from "../bindings/native.js";
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
  warning: ({ kind }, url) => (kind === "wasm" ? proxyWarning(url) : undefined),
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
    return { kind: binding.kind, version: binding.version(), ...info };
  }
}

async function load(): Promise<LoadedBinding> {
  const forced = process.env.ORGO_BINDING || undefined;
  if (forced !== undefined && forced !== "native" && forced !== "wasm") {
    throw invalid("Orgo", "ORGO_BINDING", 'must be "native", "wasm" or not set');
  }
  if (forced === "wasm") return { binding: await wasm() };
  try {
    return { binding: loadAddon() };
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
  const refuse = () => {
    const message = "terminal, sound and events over WebAssembly need the global WebSocket of Node 22 or newer";
    throw new BindingError({ kind: "binding", message, delivered: "no" });
  };
  return {
    ...binding,
    client(config, log) {
      const client = binding.client(config, log);
      return { call: client.call.bind(client), terminal: refuse, audio: refuse, events: refuse };
    },
  };
}

function loadAddon(): Binding {
  const require = createRequire(import.meta.url);
  const failures: string[] = [];
  for (const target of targets()) {
    try {
      return nativeBinding(require(`./native/orgo.${target}.node`) as Addon);
    } catch (error) {
      failures.push(`${target}: ${(error as Error).message.split("\n", 1)[0]}`);
    }
  }
  const tried = failures.length > 0 ? failures.join("; ") : `there is none for ${process.platform} ${process.arch}`;
  throw new BindingError({ kind: "binding", message: `no native addon can be loaded: ${tried}`, delivered: "no" });
}

/** The builds of the addon that may run here, the likeliest first. */
function targets(): string[] {
  const systems: Partial<Record<NodeJS.Platform, string[]>> = {
    linux: ["linux-ARCH-gnu", "linux-ARCH-musl"],
    darwin: ["darwin-ARCH"],
    win32: ["win32-ARCH-msvc", "win32-ARCH-gnu"],
  };
  return (systems[process.platform] ?? []).map((target) => target.replace("ARCH", process.arch));
}
