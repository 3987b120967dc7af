import type { AbortSignalLike } from "./ambient.js";
import type { BindingCallOptions } from "./binding.js";
import { invalid } from "./errors.js";
import { LOG_LEVELS, type LogLevel } from "./logger.js";

/** What one call may change. It is the last argument of every method that makes a call. */
export interface CallOptions {
  /** Gives the call up when it is aborted: the call rejects with an {@link AbortError} that has the signal's reason. */
  signal?: AbortSignalLike;
  /** The time limit of one request in milliseconds. Default: the client's. */
  timeout?: number;
  /** How long an answer that has begun may pause, in milliseconds. Default: the client's. */
  idleTimeout?: number;
  /** The time limit of the call with all of its requests and waits, in milliseconds. Default: the client's. */
  totalTimeout?: number;
  /** How often the call is sent again after a failure that allows it. Default: the client's. */
  maxRetries?: number;
  /** The largest body of a response, in bytes. Default: the client's; 1 GiB for the content that `files.bytes` fetches. */
  maxResponseBytes?: number;
  /** More header fields. */
  headers?: Record<string, string>;
}

/** How to open a channel. It is the last argument of the methods that open one. */
export interface OpenOptions {
  /** Gives the opening up when it is aborted, with an {@link AbortError}. An open channel is ended by `close()`. */
  signal?: AbortSignalLike;
  /** How long the opening may take, in milliseconds, reconnects included. Default: the client's limit of a request. */
  timeout?: number;
  /** How many dials may fail in a row, while it opens and later. Default: 10. */
  maxRetries?: number;
}

/** How long to wait for something. */
export interface WaitOptions {
  /** Gives the wait up when it is aborted, with an {@link AbortError} that has the signal's reason. */
  signal?: AbortSignalLike;
  /** The time limit, in milliseconds. Default: none. */
  timeout?: number;
}

/** What is allowed for one option. */
interface Check {
  accepts(value: unknown): boolean;
  wanted: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The longest time that a timer holds, about 24 days. */
const LONGEST = 2_147_483_647;

/** The most bytes that WebAssembly can address. */
const LARGEST = 4_294_967_295;

export const checks = {
  string: { accepts: (value) => typeof value === "string" && value !== "", wanted: "a string that is not empty" },
  boolean: { accepts: (value) => typeof value === "boolean", wanted: "true or false" },
  function: { accepts: (value) => typeof value === "function", wanted: "a function" },
  any: { accepts: () => true, wanted: "any value" },
  object: { accepts: isObject, wanted: "an object" },
  milliseconds: {
    accepts: (value) => typeof value === "number" && value >= 1 && value <= LONGEST,
    wanted: `a number of milliseconds from 1 to ${LONGEST}`,
  },
  seconds: {
    accepts: (value) => typeof value === "number" && value > 0 && Number.isFinite(value),
    wanted: "a number of seconds above 0",
  },
  count: {
    accepts: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 100,
    wanted: "a whole number from 0 to 100",
  },
  bytes: {
    accepts: (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LARGEST,
    wanted: `a whole number of bytes from 1 to ${LARGEST}`,
  },
  /** Its range is the core's to judge. */
  number: { accepts: (value) => typeof value === "number", wanted: "a number" },
  volume: {
    accepts: (value) => typeof value === "number" && value >= 0 && Number.isFinite(value),
    wanted: "a number of at least 0",
  },
  batch: {
    accepts: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 1000,
    wanted: "a whole number of milliseconds from 0 to 1000",
  },
  target: {
    accepts: (value) => typeof value === "number" && value >= 20 && value <= 1000,
    wanted: "a number of milliseconds from 20 to 1000",
  },
  headers: {
    accepts: (value) => isObject(value) && Object.values(value).every((field) => typeof field === "string"),
    wanted: "an object of strings",
  },
  logger: { accepts: (value) => typeof value === "object" && value !== null, wanted: "an object such as console" },
  logLevel: {
    accepts: (value) => LOG_LEVELS.includes(value as LogLevel),
    wanted: `one of ${LOG_LEVELS.join(", ")}`,
  },
  signal: {
    accepts: (value) => isObject(value) && typeof value.aborted === "boolean" && typeof value.addEventListener === "function",
    wanted: "an AbortSignal",
  },
} satisfies Record<string, Check>;

/** The options of every call. */
const CALL = {
  signal: checks.signal,
  timeout: checks.milliseconds,
  idleTimeout: checks.milliseconds,
  totalTimeout: checks.milliseconds,
  maxRetries: checks.count,
  maxResponseBytes: checks.bytes,
  headers: checks.headers,
};

/**
 * Checks an object of options: none but the known ones, each as its check says.
 *
 * @throws InvalidParameterError that names the option.
 */
export function checkFields(owner: string, argument: string, given: unknown, known: Record<string, Check>): void {
  if (given === undefined) return;
  if (!isObject(given)) throw invalid(owner, argument, `must be ${checks.object.wanted}`);
  for (const [name, value] of Object.entries(given)) {
    const check = Object.hasOwn(known, name) ? known[name] : undefined;
    if (check === undefined) {
      throw invalid(owner, name, `is not an option here: the options are ${Object.keys(known).join(", ")}`);
    }
    if (value !== undefined && !check.accepts(value)) throw invalid(owner, name, `must be ${check.wanted}`);
    checkWhole(owner, name, check === checks.headers ? Object.entries(value ?? {}).flat() : value);
  }
}

/** Checks the last argument of a call, with the options that it has besides. */
export function checkCallOptions(operation: string, options: CallOptions | undefined, more: Record<string, Check> = {}): void {
  checkFields(operation, "options", options, { ...CALL, ...more });
}

/** Checks the last argument of what opens a channel. */
export function checkOpenOptions(operation: string, options: OpenOptions | undefined): void {
  const { signal, milliseconds, count } = checks;
  checkFields(operation, "options", options, { signal, timeout: milliseconds, maxRetries: count });
}

/** Checks the last argument of what waits, with the options that it has besides. */
export function checkWaitOptions(operation: string, options: WaitOptions, more: Record<string, Check> = {}): void {
  const { signal, milliseconds } = checks;
  checkFields(operation, "options", options, { ...more, signal, timeout: milliseconds });
}

/** Half of a surrogate pair, which no encoding can carry to a server. */
const HALF = /\p{Surrogate}/u;

/**
 * Checks that text is whole: a string of JavaScript can hold half of a surrogate pair, as where an emoji was cut in two.
 *
 * @param value a string or a list of strings; anything else is not text.
 * @throws InvalidParameterError that names the field.
 */
export function checkWhole(owner: string, name: string, value: unknown): void {
  const texts = typeof value === "string" ? [value] : Array.isArray(value) ? value : [];
  if (texts.some((text) => typeof text === "string" && HALF.test(text))) {
    throw invalid(owner, name, "holds half of a surrogate pair, such as an emoji that was cut in two: pass whole characters");
  }
}

/** Checks one argument. */
export function checkArgument(owner: string, name: string, value: unknown, check: Check): void {
  if (!check.accepts(value)) throw invalid(owner, name, `must be ${check.wanted}`);
}

/** The options as a binding takes them. */
export function bindingOptions(options: CallOptions): BindingCallOptions {
  const { timeout, idleTimeout, totalTimeout, maxRetries, maxResponseBytes, headers } = options;
  return {
    ...(timeout !== undefined && { timeout }),
    ...(idleTimeout !== undefined && { idle_timeout: idleTimeout }),
    ...(totalTimeout !== undefined && { total_timeout: totalTimeout }),
    ...(maxRetries !== undefined && { max_retries: maxRetries }),
    ...(maxResponseBytes !== undefined && { max_response_bytes: maxResponseBytes }),
    ...(headers !== undefined && { headers }),
  };
}

/**
 * The parameters as a binding takes them: absent where they are undefined, and nothing that JSON cannot say. Their
 * names and values are the core's to judge.
 */
export function plainParameters(operation: string, params: unknown): Record<string, unknown> {
  if (!isObject(params)) throw invalid(operation, "params", `must be ${checks.object.wanted}`);
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    // Some calls have a `timeout` of the server's.
    if (Object.hasOwn(CALL, name) && name !== "timeout") {
      throw invalid(operation, name, "is an option of the call: it belongs into the argument after the parameters");
    }
    if (typeof value === "number" ? !Number.isFinite(value) : !["string", "boolean", "object"].includes(typeof value)) {
      const shown = typeof value === "number" ? String(value) : `a ${typeof value}`;
      throw invalid(operation, name, `must be a value that JSON can hold, not ${shown}`);
    }
    checkWhole(operation, name, value);
    plain[name] = value;
  }
  return plain;
}
