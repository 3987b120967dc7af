import { VERSION } from "../version.js";

/** The names of the embedded files. */
type EmbeddedName = "wasm" | "worker" | "worklet" | "screen-wasm" | "screen-worker";

/**
 * Runs a script with an embedded file, and returns the file as text.
 *
 * The script assigns the text to a property of the global object instead of exporting it, because CommonJS and ES modules, and
 * thus every bundler, can run the same script. The name of the property contains the version, because a program may contain
 * several versions of the package.
 *
 * @param run Imports the script. Its path must be literal, so that bundlers find the script.
 */
export async function readEmbedded(name: EmbeddedName, run: () => Promise<unknown>): Promise<string> {
  await run();
  const text = (globalThis as unknown as Record<string, string | undefined>)[`orgo-sdk ${VERSION} ${name}`];
  // For example, the script ran in a different realm.
  if (text === undefined) throw new Error(`the script embedded/${name}.js did not provide its file`);
  return text;
}

/** Returns the WebAssembly module as Base64 of its gzip format. */
export const embeddedWasm = () => readEmbedded("wasm", () => import("./embedded/wasm.js"));

/** The part of the WebSocket client `ws` that this package uses. */
export type WebSocketClass = new (
  url: string,
  options: { perMessageDeflate: boolean; closeTimeout: number },
) => WebSocket & { on(event: "error", listener: () => void): void };

/**
 * Returns the WebSocket client for WebAssembly in Node. The script is a CommonJS module, which every format can import.
 *
 * @param load Returns a built-in module of Node. Bundlers may replace a `require` in the script.
 */
export const embeddedWebSocket = async (load: (name: string) => unknown): Promise<WebSocketClass> =>
  (await import("./embedded/websocket.js")).default(load);
