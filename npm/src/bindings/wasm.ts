import type { BindingCallOptions, BindingConfig, BindingContent, Log, Outcome, PendingCall } from "../binding.js";
import { BindingError, messageOf } from "../errors.js";
import type { NodeHost } from "./host.js";

type ClientClass<Client> = new (config: BindingConfig, log?: Log, host?: NodeHost) => Client;

/** The class `Client` of a module. Its methods for calls exist only if the module has calls. */
interface WasmClient {
  /**
   * Starts a call, and returns its id. `settle` receives `undefined`, the outcome, and the response if it is streamed. It receives only an
   * error if the module fails.
   */
  start(now: number, call: string, content: BindingContent | undefined, settle: Settle): number;
  cancel(id: number): void;
  /** Returns a call in progress. */
  pending(id: number): StartedCall | undefined;
}

type Settle = (error: Error | undefined, outcome: Outcome, stream: StartedCall | undefined) => void;
/** The class `PendingCall` of a module. */
type StartedCall = Pick<PendingCall, "nextUploadProgress" | "nextPiece" | "cancel">;

/** A call in progress. Only an upload and a streamed response need an object of the module, which has a finalizer. */
class Call implements PendingCall {
  readonly #client: WasmClient;
  #id: number | undefined;
  #started: StartedCall | undefined;
  readonly #outcome: Promise<Outcome>;

  constructor(client: WasmClient, call: string, content: BindingContent | undefined) {
    this.#client = client;
    this.#outcome = new Promise((resolve, reject) => {
      this.#id = client.start(performance.now(), call, content, (error, outcome, stream) => {
        if (error !== undefined) return reject(error);
        this.#started ??= stream;
        resolve(outcome);
      });
    });
  }

  outcome(): Promise<Outcome> {
    return this.#outcome;
  }

  async nextUploadProgress(): ReturnType<PendingCall["nextUploadProgress"]> {
    this.#started ??= this.#client.pending(this.#id as number);
    return this.#started?.nextUploadProgress() ?? null;
  }

  nextPiece(): ReturnType<PendingCall["nextPiece"]> {
    return (this.#started as StartedCall).nextPiece();
  }

  cancel(): void {
    this.#client.cancel(this.#id as number);
    this.#started?.cancel();
  }
}

/** The JavaScript glue of a module: the exports of a part of the binding, and a function that loads the module. */
export interface Glue {
  init(input: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  readonly Client: ClientClass<object>;
}

/** The initialized JavaScript glue of a module, and the compiled module, which can be sent to other threads. */
export interface CompiledWasm<Loaded> {
  glue: Loaded;
  module: WebAssembly.Module;
}

/**
 * Loads a WebAssembly module. Afterward, the exports of its JavaScript glue are a binding, or a part of one.
 *
 * @param load Imports the glue, compiles the module, and initializes the glue with it.
 * @param host The network of Node. Default: that of a browser.
 */
export function loadWasm<Loaded extends Glue, Compiled extends CompiledWasm<Loaded>>(
  load: () => Promise<Compiled & CompiledWasm<Loaded>>,
  host?: NodeHost,
): Promise<Compiled> {
  return usingWasm(async () => {
    const compiled = await load();
    const { glue } = compiled;
    const BaseClient = glue.Client as ClientClass<WasmClient>;
    class Client extends BaseClient {
      constructor(config: BindingConfig, log?: Log) {
        super(config, log, host);
      }

      /** One text passes to the module faster than its parts. */
      call(operation: string, params: object, options?: BindingCallOptions, content?: BindingContent): PendingCall {
        const parts = [operation, JSON.stringify(params), options && JSON.stringify(options)];
        return new Call(this, parts.join("\n"), content);
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
