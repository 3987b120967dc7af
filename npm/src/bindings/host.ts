// The network of Node for the WebAssembly module.

import Module from "node:module";
import { embeddedWebSocket, type WebSocketClass } from "../assets/embedded.js";
import type { Binding, BindingClient } from "../binding.js";
import { BindingError, messageOf } from "../errors.js";
import { once } from "../platform.js";
import { explainFailure, type FailureCause, usesProxy } from "../proxies.js";
import { watchSending } from "./sending.js";

/** The functions of Node that the WebAssembly module uses (wasm/src/platform/host.rs). */
export interface NodeHost {
  /** Describes why a request or a socket failed. `thrown` is the exception, or `undefined` if there is none. */
  explain(url: string, thrown: unknown): FailureCause;
  /** Opens a socket. The result has the interface of a `WebSocket`. */
  openSocket(url: string): WebSocket;
  /**
   * Watches a request, which the caller sends right after this call. The result ends the watch, and returns whether certainly no
   * byte of the request was sent. Throws an exception if the URL is not valid.
   */
  watchSending(method: string, url: string): () => boolean;
}

/**
 * How long a socket waits for the close frame of the server, in milliseconds, as in the addon (node/src/socket.rs). A server that
 * does not respond must not keep the process alive.
 */
const CLOSE_LIMIT = 1000;

/** The WebSocket client `ws`, once it is loaded. */
let client: WebSocketClass | undefined;

export const nodeHost: NodeHost = {
  explain: explainFailure,
  watchSending,
  openSocket(url) {
    // Node's own WebSocket uses the proxies of the environment, but reports no causes, and waits without a limit for the server
    // to close.
    if (client === undefined || usesProxy(url)) return new WebSocket(url);
    const socket = new client(url, { perMessageDeflate: false, closeTimeout: CLOSE_LIMIT });
    // Without this listener, an error after the module has detached its own listeners would end the process.
    socket.on("error", () => {});
    return socket;
  },
};

/**
 * Loads `ws` if this runtime is Node. Bun and Deno have their own WebSocket.
 *
 * @throws BindingError if there is neither `ws` nor a global `WebSocket`.
 */
const loadClient = once(async () => {
  if (process.versions.bun !== undefined || process.versions.deno !== undefined) return;
  try {
    // Bundlers do not recognize `createRequire` as a property, so they do not replace it. The path has no effect on built-in modules.
    client = await embeddedWebSocket(Module.createRequire(process.execPath));
  } catch (cause) {
    if (typeof WebSocket !== "undefined") return;
    throw new BindingError({
      kind: "binding",
      message: `channels need the native addon, Node 22, or the package's file embedded/websocket.js: ${messageOf(cause)}`,
      delivered: "no",
      cause,
    });
  }
});

/** Wraps the WebAssembly binding so that the WebSocket client is loaded before the first channel is opened. */
export function withSockets(binding: Binding): Binding {
  class Client extends binding.Client implements BindingClient {
    override async open(...args: Parameters<BindingClient["open"]>): Promise<never> {
      await loadClient();
      // The compiler cannot infer the type of the items from the arguments.
      return super.open(...args) as never;
    }
  }
  return { ...binding, Client };
}
