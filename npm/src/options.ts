import type { AbortSignalLike } from "./ambient.js";
import type { BindingCallOptions } from "./binding.js";
import { invalidParameter, messageOf } from "./errors.js";
import { LOG_LEVELS, type LogLevel } from "./logger.js";
import type { EventType } from "./types.js";

/** The options of a call. They are the last argument of every method that makes a call. */
export interface CallOptions {
  /** Cancels the call when the signal is aborted: the call rejects with an {@link AbortError} that has the signal's reason. */
  signal?: AbortSignalLike;
  /** The time limit of one request with its whole response, in milliseconds. Default: that of the client. */
  timeout?: number;
  /** The maximum pause within a response, in milliseconds. Default: that of the client. */
  idleTimeout?: number;
  /** The time limit of the call with all of its requests and waits, in milliseconds. Default: that of the client. */
  totalTimeout?: number;
  /** The maximum number of retries, from 0 to 100. Default: that of the client. */
  maxRetries?: number;
  /**
   * The maximum size of a response body, in bytes. Default: that of the client; 1 GiB for `files.bytes`; no limit for
   * `files.stream`.
   */
  maxResponseBytes?: number;
  /** Additional request headers. */
  headers?: Record<string, string>;
}

/** The options of a channel. They are the last argument of the methods that open one. */
export interface OpenOptions {
  /**
   * Cancels the opening when the signal is aborted: the method rejects with an {@link AbortError}. The signal does not affect an
   * open channel; use `close()` for that.
   */
  signal?: AbortSignalLike;
  /** The time limit for opening, in milliseconds, including reconnects. Default: the `timeout` of the client. */
  timeout?: number;
  /** The number of connection attempts that may fail in a row, during the opening and later, from 0 to 100. Default: 10. */
  maxRetries?: number;
}

/** The options of a method that waits. */
export interface WaitOptions {
  /** Ends the wait when the signal is aborted: the method rejects with an {@link AbortError} that has the signal's reason. */
  signal?: AbortSignalLike;
  /** The time limit, in milliseconds. Default: no limit. */
  timeout?: number;
}

/** The validation of one option. */
export interface Check {
  accepts(value: unknown): boolean;
  expected: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Whether the fields of an object can be read. Those of a built-in class, such as an `AbortSignal`, `Headers` or a `Map`, are not
 * properties, and would be ignored.
 */
const hasFields = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && ["[object Object]", "[object Module]"].includes(Object.prototype.toString.call(value));

/** The longest delay of a timer, in milliseconds: about 24 days. */
const MAX_MILLISECONDS = 2_147_483_647;

/** The largest size in bytes that WebAssembly can represent in 32 bits. */
const MAX_BYTES = 4_294_967_295;

export const checks = {
  string: { accepts: (value) => typeof value === "string" && value !== "", expected: "a non-empty string" },
  boolean: { accepts: (value) => typeof value === "boolean", expected: "true or false" },
  function: { accepts: (value) => typeof value === "function", expected: "a function" },
  /** Any value. The core checks numbers, because its errors name their range. */
  any: { accepts: () => true, expected: "any value" },
  object: { accepts: hasFields, expected: "a plain object" },
  audioContext: { accepts: isObject, expected: "an AudioContext" },
  milliseconds: {
    accepts: (value) => typeof value === "number" && value >= 1 && value <= MAX_MILLISECONDS,
    expected: `a number of milliseconds from 1 to ${MAX_MILLISECONDS}`,
  },
  seconds: {
    accepts: (value) => typeof value === "number" && value > 0 && Number.isFinite(value),
    expected: "a number of seconds greater than 0",
  },
  count: {
    accepts: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 100,
    expected: "a whole number from 0 to 100",
  },
  bytes: {
    accepts: (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_BYTES,
    expected: `a whole number of bytes from 1 to ${MAX_BYTES}`,
  },
  fileSize: {
    accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
    expected: "a whole number of bytes",
  },
  volume: {
    accepts: (value) => typeof value === "number" && value >= 0 && Number.isFinite(value),
    expected: "a number that is at least 0",
  },
  batch: {
    accepts: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 1000,
    expected: "a whole number of milliseconds from 0 to 1000",
  },
  target: {
    accepts: (value) => typeof value === "number" && value >= 20 && value <= 1000,
    expected: "a number of milliseconds from 20 to 1000",
  },
  headers: {
    accepts: (value) => hasFields(value) && Object.values(value).every((field) => typeof field === "string"),
    expected: "a plain object of strings (convert `Headers` with `Object.fromEntries`)",
  },
  logger: { accepts: (value) => typeof value === "object" && value !== null, expected: "an object such as console" },
  logLevel: {
    accepts: (value) => LOG_LEVELS.includes(value as LogLevel),
    expected: `one of ${LOG_LEVELS.join(", ")}`,
  },
  signal: {
    accepts: (value) => isObject(value) && typeof value.aborted === "boolean" && typeof value.addEventListener === "function",
    expected: "an AbortSignal",
  },
} satisfies Record<string, Check>;

/** The options of every call. */
const CALL_OPTIONS = {
  signal: checks.signal,
  timeout: checks.milliseconds,
  idleTimeout: checks.milliseconds,
  totalTimeout: checks.milliseconds,
  maxRetries: checks.count,
  maxResponseBytes: checks.bytes,
  headers: checks.headers,
};

/**
 * Checks an object of options: every option must be known and pass its check.
 *
 * @throws InvalidParameterError with the name of the option as its `field`.
 */
export function checkFields(owner: string, argument: string, given: unknown, known: Record<string, Check>): void {
  if (given === undefined) return;
  for (const [name, value] of Object.entries(copyOf(owner, argument, given as object))) {
    const check = Object.hasOwn(known, name) ? known[name] : undefined;
    if (check === undefined) {
      if (argument === "params" && isCallOption(name)) throw misplaced(owner, name);
      throw invalidParameter(owner, name, `is not a known option, the options are ${Object.keys(known).join(", ")}`);
    }
    if (value !== undefined && !check.accepts(value)) throw invalidParameter(owner, name, `must be ${check.expected}`);
    checkWellFormed(owner, name, check === checks.headers ? Object.entries(value ?? {}).flat() : value);
  }
}

/**
 * Returns a copy of an object with the fields of `fixed`, which override the others. Reading the fields may run code of the program,
 * such as a getter, which may fail.
 */
export function copyOf<Fields extends object>(owner: string, argument: string, given: Fields, fixed?: object): Fields {
  try {
    if (hasFields(given)) return { ...given, ...fixed };
  } catch (cause) {
    throw invalidParameter(owner, argument, `cannot be read: ${messageOf(cause)}`, cause);
  }
  throw invalidParameter(owner, argument, `must be ${checks.object.expected}`);
}

/** Whether a name is that of an option of calls or uploads. */
const isCallOption = (name: string) => Object.hasOwn(CALL_OPTIONS, name) || name === "onProgress";

/** The error for an option among the parameters. */
const misplaced = (operation: string, name: string) =>
  invalidParameter(operation, name, "is an option of the call, pass it in the argument after the parameters");

/** Checks the options of a call. `more` are the options that only this call has. */
export function checkCallOptions(operation: string, options: CallOptions | undefined, more?: Record<string, Check>): void {
  checkFields(operation, "options", options, more === undefined ? CALL_OPTIONS : { ...CALL_OPTIONS, ...more });
}

/** Checks the options of a method that opens a channel. */
export function checkOpenOptions(operation: string, options: OpenOptions | undefined): void {
  const { signal, milliseconds, count } = checks;
  checkFields(operation, "options", options, { signal, timeout: milliseconds, maxRetries: count });
}

/** Checks the options of a method that waits. `more` are the options that only this method has. */
export function checkWaitOptions(operation: string, options: WaitOptions, more: Record<string, Check> = {}): void {
  const { signal, milliseconds } = checks;
  checkFields(operation, "options", options, { ...more, signal, timeout: milliseconds });
}

/** Matches half of a surrogate pair, which UTF-8 cannot encode. V8 takes 0.3 ms to read `\p{Surrogate}` instead. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

const isBroken = (text: unknown) => typeof text === "string" && LONE_SURROGATE.test(text);

/**
 * Checks that text is well-formed Unicode. A JavaScript string may contain half of a surrogate pair, for example after
 * an emoji was split.
 *
 * @param value A string or a list of strings; other values are ignored.
 * @throws InvalidParameterError with the name as its `field`.
 */
export function checkWellFormed(owner: string, name: string, value: unknown): void {
  if (isBroken(value) || (Array.isArray(value) && value.some(isBroken))) {
    throw invalidParameter(owner, name, "must be well-formed: it contains half of a surrogate pair, such as half of an emoji");
  }
}

/** Accepts one of several texts. */
export const oneOf = (...values: string[]): Check => ({
  accepts: (value) => values.includes(value as string),
  expected: `one of ${values.join(", ")}`,
});

/**
 * Checks one argument.
 *
 * @throws InvalidParameterError with the name as its `field`.
 */
export function checkArgument(owner: string, name: string, value: unknown, check: Check): void {
  if (!check.accepts(value)) throw invalidParameter(owner, name, `must be ${check.expected}`);
}

/** Converts the options of a call to those of a binding. */
export function bindingOptions(options: CallOptions): BindingCallOptions {
  const { timeout, headers } = options;
  return defined({
    timeout,
    idle_timeout: options.idleTimeout,
    total_timeout: options.totalTimeout,
    max_retries: options.maxRetries,
    max_response_bytes: options.maxResponseBytes,
    headers,
  });
}

/** Returns an object without its undefined fields. */
export const defined = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;

/**
 * Converts parameters to those of a binding: omits undefined values. The core checks the names and the values.
 *
 * @param fixed The parameters that the method sets. They override those with the same names.
 * @throws InvalidParameterError for a value that JSON cannot represent.
 */
export function jsonParameters(operation: string, params: unknown, fixed?: object): Record<string, unknown> {
  const plain: Record<string, unknown> = copyOf(operation, "params", params as Record<string, unknown>, fixed);
  for (const name of Object.keys(plain)) {
    const value = plain[name];
    if (value === undefined) {
      delete plain[name];
      continue;
    }
    // `timeout` is also a parameter of some calls: the time limit on the server.
    if (isCallOption(name) && name !== "timeout") throw misplaced(operation, name);
    const type = typeof value;
    if (type === "number" ? !Number.isFinite(value) : type !== "string" && type !== "boolean" && type !== "object") {
      const found = type === "number" ? String(value) : `a ${type}`;
      throw invalidParameter(operation, name, `must be a value that JSON can represent, not ${found}`);
    }
    if (type === "object") checkJson(operation, name, value);
    checkWellFormed(operation, name, value);
  }
  return plain;
}

/** Checks a nested value. A binding reads all parameters at once, so its error would not name the parameter. */
function checkJson(operation: string, name: string, value: unknown): void {
  try {
    JSON.stringify(value);
  } catch (cause) {
    throw invalidParameter(operation, name, "must be a value that JSON can represent", cause);
  }
}

/** Checks a list of event types. The server checks the names. */
export function checkTypes(owner: string, types: readonly EventType[]): string[] {
  const expected = "a list of event types";
  const accepts = (value: unknown) => Array.isArray(value) && value.every((type) => checks.string.accepts(type));
  checkArgument(owner, "types", types, { accepts, expected });
  checkWellFormed(owner, "types", types);
  return [...types];
}
