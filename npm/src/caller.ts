import { onAbort } from "./abort.js";
import type { Binding, BindingClient, BindingConfig, BindingContent, BindingUploadProgress, PendingCall } from "./binding.js";
import { Bounds } from "./bounded.js";
import { errorFrom, errorThrown, rethrown } from "./errors.js";
import { DEFAULT_BASE_URL, DEFAULT_TIMEOUT } from "./generated/channels.js";
import { Log } from "./logger.js";
import { bindingOptions, type CallOptions, checkCallOptions, plainParameters } from "./options.js";
import { once, type Platform } from "./platform.js";
import { hideSecrets } from "./secrets.js";
import type { Operations } from "./types.js";
import { callOut } from "./uncaught.js";

type OperationName = keyof Operations;
type Params<Name extends OperationName> = Operations[Name]["params"];
type Result<Name extends OperationName> = Operations[Name]["result"];

/** What the steps of one call have together. Options are checked by their names, which a symbol is not. */
const WHOLE = Symbol("whole");
interface SharedOptions extends CallOptions {
  [WHOLE]?: Bounds;
}

/** What an upload sends, and who is told how far it is. */
export interface Upload {
  content: BindingContent;
  onProgress: ((progress: BindingUploadProgress) => void) | undefined;
}

/** A client's settings and its way to the binding. Every handle and every resource of the client shares one. */
export class Caller {
  readonly platform: Platform;
  readonly log: Log;
  /** The time limit of one request, in milliseconds. */
  readonly timeout: number;
  /** The two addresses that a page needs too. */
  readonly addresses: { base_url?: string; realtime_url?: string };
  readonly #totalTimeout: number | undefined;
  readonly #connect: () => Promise<{ binding: Binding; client: BindingClient }>;

  constructor(platform: Platform, config: BindingConfig, log = new Log(undefined)) {
    this.platform = platform;
    this.log = log;
    this.timeout = config.timeout ?? DEFAULT_TIMEOUT;
    this.#totalTimeout = config.total_timeout;
    const { base_url, realtime_url } = config;
    this.addresses = {
      ...(base_url !== undefined && { base_url }),
      ...(realtime_url !== undefined && { realtime_url }),
    };
    this.#connect = once(async () => {
      const { binding, fallback_cause } = await platform.load();
      if (fallback_cause !== undefined) {
        log.write("warn", `the native addon cannot be used, WebAssembly takes its place: ${fallback_cause}`);
      }
      const client = rethrown(() =>
        log.level === "off" ? new binding.Client(config) : new binding.Client({ ...config, log_level: log.level }, log.write),
      );
      const warning = platform.warning?.(binding, config.base_url ?? DEFAULT_BASE_URL);
      if (warning !== undefined) log.write("warn", warning);
      return { binding, client };
    });
  }

  /** The binding, loaded. */
  async binding(): Promise<Binding> {
    return (await this.#connect()).binding;
  }

  /** The binding's client for these settings. */
  async client(bounds: Bounds): Promise<BindingClient> {
    bounds.check();
    const { client } = await bounds.wait(this.#connect(), "the binding was not loaded");
    bounds.check();
    return client;
  }

  /**
   * The options for each of the steps that make up one call of this package, as they come: all of them together have
   * its `totalTimeout`.
   */
  sharing(operation: string, options: SharedOptions = {}): () => SharedOptions {
    checkCallOptions(operation, options);
    const total = options.totalTimeout ?? this.#totalTimeout;
    if (total === undefined) return () => options;
    const whole = options[WHOLE] ?? new Bounds(operation, total, undefined);
    return () => ({ ...options, totalTimeout: Math.max(Math.ceil(whole.left), 1), [WHOLE]: whole });
  }

  /** Makes a REST call and returns what it answers. */
  async call<Name extends OperationName>(
    operation: Name,
    params: Params<Name>,
    options?: CallOptions,
    upload?: Upload,
  ): Promise<Result<Name>> {
    return (await this.exchange(operation, params, options, upload)).value;
  }

  /** Makes a REST call and returns what it answers, with the bytes beside it. */
  async exchange<Name extends OperationName>(
    operation: Name,
    params: Params<Name>,
    options?: CallOptions,
    upload?: Upload,
  ): Promise<{ value: Result<Name>; bytes: Uint8Array }> {
    const plain = plainParameters(operation, params);
    const { value, bytes = new Uint8Array() } = await this.send(operation, plain, options, upload);
    return { value: value as Result<Name>, bytes };
  }

  /** Makes a call by its name, with parameters that are plain already. */
  async send(
    operation: string,
    plain: Record<string, unknown>,
    options?: CallOptions,
    upload?: Upload,
  ): Promise<{ value: unknown; bytes?: Uint8Array }> {
    const rest = this.sharing(operation, options);
    const { signal, timeout = this.timeout, totalTimeout = timeout } = rest();
    const bounds = new Bounds(operation, totalTimeout, signal);
    const client = await this.client(bounds);

    const { [WHOLE]: whole, ...left } = rest();
    const { content, onProgress } = upload ?? {};
    const watched = content && onProgress ? { ...content, watched: true } : content;
    const pending = rethrown(() => client.call(operation, plain, bindingOptions(left), watched));
    const forget = onAbort(signal, () => pending.cancel());
    const finished = pending.outcome();
    const told = onProgress && tell(pending, onProgress);
    const outcome = await finished.catch((thrown: unknown) => Promise.reject(errorThrown(thrown))).finally(forget);
    // Nothing is told after the end.
    await told;

    if (outcome.ok) return { ...outcome, value: hideSecrets(outcome.value) };
    const { kind, limit, delivered } = outcome.error;
    if (kind === "aborted") bounds.check(delivered);
    // The binding was told what was left of the limit; the caller is told the limit.
    if (whole !== undefined && kind === "timeout" && limit === left.totalTimeout) throw whole.late("no success", delivered);
    throw errorFrom(outcome.error);
  }
}

/** Tells how far an upload is, until its end. */
async function tell(pending: PendingCall, onProgress: (progress: BindingUploadProgress) => void): Promise<void> {
  // A binding that fails says so by its outcome.
  const next = () => pending.nextUploadProgress().catch(() => null);
  for (let progress = await next(); progress !== null; progress = await next()) {
    const { loaded, total } = progress;
    callOut(() => onProgress({ loaded, total }));
  }
}
