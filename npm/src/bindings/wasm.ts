import type { Binding, BindingConfig, Log } from "../binding.js";
import { BindingError, messageOf } from "../errors.js";
import type { NodeHost } from "./host.js";
import type * as Glue from "./wasm/orgo_wasm.js";

/** A binding, and its compiled module, which can be sent to other threads. */
export interface LoadedWasm {
  binding: Binding;
  module: WebAssembly.Module;
}

/**
 * Loads the WebAssembly module. The exports of its JavaScript glue are a binding.
 *
 * @param load Imports the glue and compiles the module.
 * @param host The network of Node. Default: that of a browser.
 */
export async function loadWasm(
  load: () => Promise<{ glue: typeof Glue; module: WebAssembly.Module }>,
  host?: NodeHost,
): Promise<LoadedWasm> {
  try {
    const { glue, module } = await load();
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
