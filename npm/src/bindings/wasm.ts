import type { Binding } from "../binding.js";
import { BindingError } from "../errors.js";
import type { InitInput } from "./wasm/orgo_wasm.js";

/** A binding, and the module that it runs, for other threads to run it too. */
export interface LoadedWasm {
  binding: Binding;
  module: WebAssembly.Module;
}

/**
 * Compiles the WebAssembly module and makes a binding of it.
 *
 * @param source Where the module is; without it the glue looks beside itself.
 * @param explain Makes the text of a failure, where the platform tells its cause.
 */
export async function loadWasm(
  source?: () => Promise<InitInput> | InitInput,
  explain?: (url: string, thrown: unknown) => string,
): Promise<LoadedWasm> {
  try {
    const glue = await import("./wasm/orgo_wasm.js");
    await glue.default(source && { module_or_path: await source() });
    const binding: Binding = {
      kind: "wasm",
      version: glue.version,
      client: (config, log) => new glue.Client(config, log, explain),
      pcm: { header: glue.wavHeader, encode: glue.wavEncode, level: glue.level },
    };
    return { binding, module: glue.module() };
  } catch (error) {
    throw new BindingError({
      kind: "binding",
      message: `the WebAssembly module cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      delivered: "no",
      cause: error,
    });
  }
}
