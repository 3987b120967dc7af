import { onAbort } from "./abort.js";
import type { WebReadableStream } from "./ambient.js";
import type { BindingConfig, BindingContent, BindingParts, Outcome, Part, PendingCall } from "./binding.js";
import { runCallback } from "./callback.js";
import { Deadline, throwIfAborted } from "./deadline.js";
import { abortError, convertErrors, errorFromRecord, toOrgoError } from "./errors.js";
import { DEFAULT_BASE_URL, DEFAULT_TIMEOUT } from "./generated/channels.js";
import { ClientLog } from "./logger.js";
import { bindingOptions, type CallOptions, checkCallOptions, defined, jsonParameters } from "./options.js";
import { once, type Platform } from "./platform.js";
import { makeSecretsNonEnumerable } from "./secrets.js";
import { createByteStream } from "./streams.js";
import type { Operations } from "./types.js";
import type { Source } from "./upload/source.js";

type OperationName = keyof Operations;
type Params<Name extends OperationName> = Operations[Name]["params"];
type Result<Name extends OperationName> = Operations[Name]["result"];

/**
 * The key of the deadline that the steps of a call share. It is a symbol, because the check of the options reads only string
 * keys.
 */
const SHARED_DEADLINE = Symbol("deadline");
interface StepOptions extends CallOptions {
  [SHARED_DEADLINE]?: Deadline;
}

/** The content of an upload and the listener for its progress. */
export interface Upload {
  content: BindingContent;
  source: Source | undefined;
  onProgress: ((progress: { loaded: number; total: number }) => void) | undefined;
}

/**
 * The content of a file as a stream of bytes. Cancel it, or read it to its end, to free its connection.
 */
export type FileStream = WebReadableStream<Uint8Array> & {
  /** The size of the content in bytes; `undefined` if the server does not report it or compresses the content. */
  readonly size: number | undefined;
};

/** A part of the binding, and its client. */
interface Connected<Name extends Part> {
  binding: BindingParts[Name];
  client: InstanceType<BindingParts[Name]["Client"]>;
}

/** A call that has succeeded. */
interface Completed {
  pending: PendingCall;
  outcome: { value: unknown; bytes?: Uint8Array };
}

/** Makes the calls of a client. All resources and handles of a client share one caller. */
export class Caller {
  readonly platform: Platform;
  readonly log: ClientLog;
  /** The time limit of one request, in milliseconds. */
  readonly timeout: number;
  /** The URLs of the client that a {@link Connection} contains. */
  readonly addresses: { base_url?: string; realtime_url?: string };
  readonly #totalTimeout: number | undefined;
  /** Whether there is an API key. */
  readonly hasKey: boolean;
  readonly #config: BindingConfig;
  readonly #connect: { [Name in Part]: () => Promise<Connected<Name>> };
  /** The clients, once the parts of the binding are loaded. */
  readonly #connected: { [Name in Part]?: Connected<Name> } = {};

  constructor(platform: Platform, config: BindingConfig, log = new ClientLog(undefined)) {
    this.platform = platform;
    this.log = log;
    this.timeout = config.timeout ?? DEFAULT_TIMEOUT;
    this.#totalTimeout = config.total_timeout;
    const { base_url, realtime_url } = config;
    this.addresses = defined({ base_url, realtime_url });
    this.hasKey = config.api_key !== undefined;
    this.#config = config;
    this.#connect = {
      rest: once(() => this.#load("rest")),
      channels: once(() => this.#load("channels")),
      screen: once(() => this.#load("screen")),
    };
  }

  /** Returns a part of the binding with its client, and loads it first if necessary. */
  async client<Name extends Part>(part: Name, deadline: Deadline): Promise<Connected<Name>> {
    deadline.throwIfAborted();
    const connected = this.#connected[part] ?? (await deadline.wait(this.#connect[part](), "the binding was not loaded"));
    deadline.throwIfAborted();
    return connected;
  }

  async #load<Name extends Part>(part: Name): Promise<Connected<Name>> {
    const { log, platform } = this;
    const { binding, fallback_cause } = await platform.load(part);
    // Both parts may be the same object, which then has one client.
    const same = Object.values(this.#connected).find((other) => (other.binding as unknown) === binding);
    if (same !== undefined) return this.#keep(part, same as never);
    if (fallback_cause !== undefined) {
      log.write("warn", `using a fallback, embedded WebAssembly: ${(fallback_cause as Error).message}`);
    }
    const config = this.#config;
    const client = convertErrors(() =>
      log.level === "off" ? new binding.Client(config) : new binding.Client({ ...config, log_level: log.level }, log.write),
    );
    const warning = platform.warning?.(binding, config.base_url ?? DEFAULT_BASE_URL);
    if (warning !== undefined) log.write("warn", warning);
    return this.#keep(part, { binding, client } as Connected<Name>);
  }

  #keep<Name extends Part>(part: Name, connected: Connected<Name>): Connected<Name> {
    (this.#connected as { [Key in Name]?: Connected<Key> })[part] = connected;
    return connected;
  }

  /**
   * Checks the options of a call that consists of several steps. Returns a function that returns the options of the next
   * step: all steps share the `totalTimeout`.
   */
  stepOptions<Given extends StepOptions | undefined>(operation: string, options: Given): () => StepOptions | Given {
    checkCallOptions(operation, options);
    const total = options?.totalTimeout ?? this.#totalTimeout;
    if (total === undefined) return () => options;
    const deadline = options?.[SHARED_DEADLINE] ?? new Deadline(operation, total, undefined);
    return () => ({ ...options, totalTimeout: Math.max(Math.ceil(deadline.remaining), 1), [SHARED_DEADLINE]: deadline });
  }

  #deadline(operation: string, { signal, timeout = this.timeout, totalTimeout = timeout }: StepOptions = {}): Deadline {
    return new Deadline(operation, totalTimeout, signal);
  }

  /** Makes a REST call and returns its result. */
  async call<Name extends OperationName>(
    operation: Name,
    params: Params<Name>,
    options?: CallOptions,
    upload?: Upload,
  ): Promise<Result<Name>> {
    return this.#value(await this.#run(operation, jsonParameters(operation, params), options, upload));
  }

  /** Makes a REST call like {@link call}. `given` are the parameters of the program, `fixed` those that its method sets. */
  async callWith<Name extends OperationName, Fixed extends Partial<Params<Name>>>(
    operation: Name,
    given: Omit<Params<Name>, keyof Fixed> | undefined,
    fixed: Fixed,
    options: CallOptions | undefined,
  ): Promise<Result<Name>> {
    const plain = jsonParameters(operation, given === undefined ? {} : given, fixed);
    return this.#value(await this.#run(operation, plain, options));
  }

  #value<Value>({ outcome }: Completed): Value {
    return makeSecretsNonEnumerable(outcome.value) as Value;
  }

  /** Makes a REST call and returns its result with the binary content. */
  async callWithBytes<Name extends OperationName>(
    operation: Name,
    params: Params<Name>,
    options?: CallOptions,
  ): Promise<{ value: Result<Name>; bytes: Uint8Array }> {
    const plain = jsonParameters(operation, params);
    const { value, bytes = new Uint8Array() } = await this.send(operation, plain, options);
    return { value: makeSecretsNonEnumerable(value) as Result<Name>, bytes };
  }

  /** Makes a REST call whose result is a stream. Returns the stream with the size of its content, if the server reports it. */
  async stream(operation: "files.stream", params: Params<typeof operation>, options?: CallOptions): Promise<FileStream> {
    const { pending, outcome } = await this.#run(operation, jsonParameters(operation, params), options);
    const { size } = outcome.value as Result<typeof operation>;
    const source = {
      async read() {
        const piece = await pending.nextPiece().catch((thrown: unknown) => Promise.reject(toOrgoError(thrown)));
        if (!piece.ok) throw errorFromRecord(piece.error);
        return piece.bytes;
      },
      cancel: () => pending.cancel(),
      aborted: () => abortError(operation, options?.signal?.reason, "yes"),
    };
    const stream = createByteStream(source, options?.signal);
    return Object.assign(stream, { size });
  }

  /** Makes a call with parameters that are already converted to JSON values. */
  async send(
    operation: string,
    plain: Record<string, unknown>,
    options?: CallOptions,
    upload?: Upload,
  ): Promise<{ value: unknown; bytes?: Uint8Array }> {
    const { outcome } = await this.#run(operation, plain, options, upload);
    return outcome;
  }

  async #run(operation: string, plain: Record<string, unknown>, options?: CallOptions, upload?: Upload): Promise<Completed> {
    const nextOptions = this.stepOptions(operation, options);
    const signal = options?.signal;
    throwIfAborted(operation, signal, "no");
    // Most calls need no promise and no timer here.
    const { client } = this.#connected.rest ?? (await this.client("rest", this.#deadline(operation, nextOptions())));

    const current: StepOptions | undefined = nextOptions();
    const { content, source, onProgress } = upload ?? {};
    const withProgress = content && onProgress ? { ...content, reports_progress: true } : content;
    const pending = convertErrors(() => client.call(operation, plain, current && bindingOptions(current), withProgress));
    const removeListener = signal && onAbort(signal, () => pending.cancel());
    const finished = pending.outcome();
    void source?.provide(pending);
    const reported = onProgress && reportProgress(pending, onProgress);
    let outcome: Outcome;
    try {
      outcome = await finished;
    } catch (thrown) {
      throw toOrgoError(thrown);
    } finally {
      removeListener?.();
    }
    // No progress is reported after the call has settled.
    if (reported !== undefined) await reported;

    if (outcome.ok) return { pending, outcome };
    const { kind, limit, delivered } = outcome.error;
    if (kind === "aborted") throwIfAborted(operation, signal, delivered);
    // The limit of the binding was the remaining time. The error reports the limit of the whole call instead.
    const shared = current?.[SHARED_DEADLINE];
    if (shared !== undefined && kind === "timeout" && limit === current?.totalTimeout) {
      throw shared.timeoutError("no success", delivered);
    }
    throw errorFromRecord(outcome.error);
  }
}

/** Reports the progress of an upload until the upload ends. */
async function reportProgress(pending: PendingCall, onProgress: NonNullable<Upload["onProgress"]>): Promise<void> {
  // The outcome of the call reports a failure of the binding.
  const next = () => pending.nextUploadProgress().catch(() => null);
  for (let progress = await next(); progress !== null; progress = await next()) {
    const { loaded, total } = progress;
    runCallback(() => onProgress({ loaded, total: total ?? Infinity }));
  }
}
