import type { Binding, BindingConfig, Log } from "../binding.js";
import { BindingError, messageOf } from "../errors.js";
import type { NodeHost } from "./host.js";

/** A binding, and its compiled module, which can be sent to other threads. */
export interface LoadedWasm {
  binding: Binding;
  module: WebAssembly.Module;
}

/**
 * Loads the WebAssembly module. The exports of its JavaScript glue are a binding.
 *
 * @param compile Returns the compiled module.
 * @param host The network of Node. Default: that of a browser.
 */
export async function loadWasm(
  compile: () => Promise<WebAssembly.Module>,
  host?: NodeHost,
): Promise<LoadedWasm> {
  try {
    const [module, glue] = await Promise.all([compile(), import("./wasm/orgo_wasm.js")]);
    await glue.init({ module_or_path: module });
    class Client extends glue.Client {
      constructor(config: BindingConfig, log?: Log) {
        super(config, log, host);
      }
    }
    return { binding: { ...glue, Client }, module };
  } catch (error) {
    throw new BindingError({
      kind: "binding",
      message: `the WebAssembly module cannot be used: ${messageOf(error)}`,
      delivered: "no",
      cause: error,
    });
  }
}
