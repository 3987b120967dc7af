// The part of the entry for Node that a program loads with its first call.

import Module from "node:module";
import type { NodeReadable } from "../ambient.js";
import type { AssetOptions } from "../assets/options.js";
import type { Binding } from "../binding.js";
import { BindingError, invalidParameter } from "../errors.js";
import type { LoadedBinding } from "../platform.js";
import { location, sibling } from "./location.js";
import { loadNative } from "./native.js";
import type * as NodeWasm from "./node-wasm.js";
import { localTarget } from "./targets.js";

/**
 * Returns a built-in module of Node, an addon or a package. Bundlers do not recognize `createRequire` as a property, so they
 * include none of them.
 */
const requireLater = (path: string): unknown => Module.createRequire(location())(path);

/** The code for the WebAssembly module, once it is used. */
let nodeWasm: typeof NodeWasm | undefined;

/** Loads the addon or the WebAssembly module. `useSetting` returns the configured module. */
export async function loadBinding(useSetting: () => AssetOptions["wasm"]): Promise<LoadedBinding> {
  const forced = process.env.ORGO_BINDING || undefined;
  if (forced !== undefined && forced !== "native" && forced !== "wasm") {
    throw invalidParameter("Orgo", "ORGO_BINDING", 'must be "native" or "wasm" if it is set');
  }
  if (forced === "wasm") return { binding: await loadWasm(useSetting) };
  try {
    return { binding: loadNative({ require: requireLater, sibling }, localTarget()) };
  } catch (cause) {
    if (forced === "native") throw cause;
    const binding = await loadWasm(useSetting).catch((error: Error) => {
      const message = `${(cause as Error).message}; and ${error.message}`;
      throw new BindingError({ kind: "binding", message, delivered: "no", cause: new AggregateError([cause, error]) });
    });
    return { binding, fallback_cause: cause };
  }
}

async function loadWasm(useSetting: () => AssetOptions["wasm"]): Promise<Binding> {
  nodeWasm = await import("./node-wasm.js");
  return nodeWasm.loadWasmBinding(useSetting);
}

/** Returns a warning if the binding does not use the proxy for a URL. */
export const proxyWarning = ({ kind }: Pick<Binding, "kind">, url: string): string | undefined =>
  kind() === "wasm" ? nodeWasm?.proxyWarning(url) : undefined;

/** Creates a Node stream. */
export function readable(bytes: AsyncIterable<Uint8Array>): NodeReadable {
  // Loading this module takes longer than loading the rest of the package, and few programs need it.
  const { Readable } = requireLater("node:stream") as typeof import("node:stream");
  return Readable.from(bytes, { objectMode: false });
}
