import type { BindingConfig, Log } from "../binding.js";
import { BindingError, messageOf } from "../errors.js";
import type { NodeHost } from "./host.js";

type ClientClass = new (config: BindingConfig, log?: Log, host?: NodeHost) => object;

/** The JavaScript glue of a module: the exports of a part of the binding, and a function that loads the module. */
export interface Glue {
  init(input: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  readonly Client: ClientClass;
}

/** The JavaScript glue of a module, and the compiled module, which can be sent to other threads. */
export interface CompiledWasm<Loaded> {
  glue: Loaded;
  module: WebAssembly.Module;
}

/**
 * Loads a WebAssembly module. Afterward, the exports of its JavaScript glue are a binding, or a part of one.
 *
 * @param load Imports the glue and compiles the module.
 * @param host The network of Node. Default: that of a browser.
 */
export function loadWasm<Loaded extends Glue, Compiled extends CompiledWasm<Loaded>>(
  load: () => Promise<Compiled & CompiledWasm<Loaded>>,
  host?: NodeHost,
): Promise<Compiled> {
  return usingWasm(async () => {
    const compiled = await load();
    const { glue, module } = compiled;
    await glue.init({ module_or_path: module });
    const WasmClient: ClientClass = glue.Client;
    class Client extends WasmClient {
      constructor(config: BindingConfig, log?: Log) {
        super(config, log, host);
      }
    }
    return { ...compiled, glue: { ...glue, Client } };
  });
}

/** Calls a function that loads WebAssembly modules. Rejects with a `BindingError` if it fails. */
export async function usingWasm<Result>(load: () => Promise<Result>): Promise<Result> {
  try {
    return await load();
  } catch (error) {
    throw new BindingError({
      kind: "binding",
      message: `the WebAssembly module cannot be used: ${messageOf(error)}`,
      delivered: "no",
      cause: error,
    });
  }
}
