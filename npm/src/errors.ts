import type { NetworkCause } from "./generated/channels.js";
import type { CloseCause, Delivered, ErrorRecord } from "./types.js";

/**
 * The kind of an error. Unlike `instanceof`, a comparison of the kind also works if a program contains two copies of this
 * package.
 *
 * - `encode`: {@link InvalidParameterError}
 * - `decode`: {@link DecodeError}
 * - `too_large`: {@link ResponseTooLargeError}
 * - `server`: {@link APIError} and its subclasses
 * - `transport`: {@link ConnectionError}
 * - `timeout`: {@link TimeoutError}
 * - `aborted`: {@link AbortError}
 * - `closed`: {@link ChannelClosedError}
 * - `binding`: {@link BindingError}
 * - `computer`: {@link ComputerStateError}
 */
export type ErrorKind = ErrorRecord["kind"] | "binding" | "computer";

/** The fields of an error. Fields that do not apply are absent. */
export interface ErrorFields extends Omit<ErrorRecord, "kind" | "cause" | "network"> {
  kind: ErrorKind;
  cause?: unknown;
}

/** The base class of all errors of this package. Fields that do not apply to an error are absent. */
export class OrgoError extends Error {
  /** The kind of the error. */
  declare readonly kind: ErrorKind;
  /** Whether the call took effect on the server: `no`, `yes`, or `maybe` if that is not known. */
  declare readonly delivered: Delivered;
  /** The name of the invalid parameter or option. */
  declare readonly field?: string;
  /** The path of the unexpected value in the response, such as `desktops[3].ram`. */
  declare readonly path?: string;
  /** The HTTP status code of the response. */
  declare readonly status?: number;
  /** The stable error code of the server, such as `computer_waking`. */
  declare readonly code?: string;
  /** The id of the request, for questions to support. */
  declare readonly request_id?: string;
  /** The HTTP status code that the desktop returned, if the desktop caused the failure. */
  declare readonly upstream_status?: number;
  /** The time to wait before the next attempt, in seconds. */
  declare readonly retry_after?: number;
  /**
   * The body of the response: its first 4 KiB, with masked secrets. Control characters other than line breaks and tabs
   * are escaped.
   */
  declare readonly body?: string;
  /** The exceeded limit: in milliseconds for a {@link TimeoutError}, in bytes for a {@link ResponseTooLargeError}. */
  declare readonly limit?: number;

  /** @internal */
  constructor({ message, cause, ...fields }: ErrorFields) {
    super(message, cause === undefined ? undefined : { cause });
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) Object.defineProperty(this, name, { value, enumerable: true });
    }
  }
}

/** A parameter or an option is invalid. Nothing was sent. */
export class InvalidParameterError extends OrgoError {
  declare readonly field: string;
}

/** The response does not have the documented format. The server executed the call. */
export class DecodeError extends OrgoError {
  declare readonly path: string;
  declare readonly status: number;
  declare readonly body: string;
}

/**
 * The response body is larger than `maxResponseBytes`, which is the `limit`, and the server executed the call. Or the text of a
 * clipboard is larger than the `limit`: then there is no `status`.
 */
export class ResponseTooLargeError extends OrgoError {
  declare readonly status?: number;
  declare readonly limit: number;
}

/** The server refused the call. The subclasses correspond to HTTP status codes. */
export class APIError extends OrgoError {
  declare readonly status: number;
}

/** 400: the server rejects a parameter, or the computer has no desktop at the moment. */
export class BadRequestError extends APIError {}

/** 401: the API key is missing or unknown. */
export class AuthenticationError extends APIError {}

/** 403: the API key does not permit the call, or the limit of the plan is reached. */
export class PermissionDeniedError extends APIError {}

/** 404: the resource does not exist, or belongs to another account. */
export class NotFoundError extends APIError {}

/** 409: the call is not possible in the current state, for example while the computer is waking. */
export class ConflictError extends APIError {}

/** 429: too many calls. `retry_after` is the time to wait, if the server reports it. */
export class RateLimitError extends APIError {}

/** 5xx: the server or the desktop failed. */
export class ServerError extends APIError {}

/**
 * The network failed before the response was complete. The `cause` of a failed call is an `Error` with the reason. Where the
 * platform reports it, as in Node, its `code` is the error code of Node, such as `ECONNREFUSED` or `ENOTFOUND`.
 */
export class ConnectionError extends OrgoError {}

/** A time limit was exceeded. */
export class TimeoutError extends OrgoError {
  declare readonly limit: number;
}

/** The operation was canceled by its `AbortSignal`. */
export class AbortError extends OrgoError {
  /** The `reason` of the signal. */
  get reason(): unknown {
    return this.cause;
  }
}

/** The channel ended. */
export class ChannelClosedError extends OrgoError {
  /** The reason why the channel ended. */
  declare readonly cause: CloseCause;
}

/**
 * The host lacks a required feature: neither the native addon nor the WebAssembly module can be loaded, or the platform has no
 * audio output, for example. `cause` is the error of the host, if there is one.
 */
export class BindingError extends OrgoError {}

/** The computer is in a state from which it cannot reach the expected state without another call. */
export class ComputerStateError extends OrgoError {}

// Minifiers rename classes, so each class gets its name explicitly.
const CLASSES = {
  OrgoError,
  InvalidParameterError,
  DecodeError,
  ResponseTooLargeError,
  APIError,
  BadRequestError,
  AuthenticationError,
  PermissionDeniedError,
  NotFoundError,
  ConflictError,
  RateLimitError,
  ServerError,
  ConnectionError,
  TimeoutError,
  AbortError,
  ChannelClosedError,
  BindingError,
  ComputerStateError,
};
for (const [name, errorClass] of Object.entries(CLASSES)) errorClass.prototype.name = name;

const BY_STATUS: Record<number, typeof APIError> = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  429: RateLimitError,
};

const BY_KIND: Record<Exclude<ErrorRecord["kind"], "server">, typeof OrgoError> = {
  encode: InvalidParameterError,
  decode: DecodeError,
  too_large: ResponseTooLargeError,
  transport: ConnectionError,
  timeout: TimeoutError,
  aborted: AbortError,
  closed: ChannelClosedError,
};

/** Creates an error from the error record of a binding. */
export function errorFromRecord({ network, ...record }: ErrorRecord): OrgoError {
  if (record.kind !== "server") return new BY_KIND[record.kind]({ ...record, ...(network && { cause: networkError(network) }) });
  const status = record.status ?? 0;
  return new (BY_STATUS[status] ?? (status >= 500 ? ServerError : APIError))(record);
}

function networkError({ message, code }: NetworkCause): Error {
  return Object.assign(new Error(message), code !== undefined && { code });
}

/** Converts an exception of a binding to an error. The exception is an error record unless the binding itself failed. */
export function toOrgoError(thrown: unknown): OrgoError {
  const record = thrown as Partial<ErrorRecord> | null;
  if (typeof record === "object" && typeof record?.kind === "string" && typeof record.message === "string") {
    // A record is a plain object. An error may be one of another copy of this package.
    return isError(thrown) ? (thrown as OrgoError) : errorFromRecord(record as ErrorRecord);
  }
  return new BindingError({
    kind: "binding",
    message: `the binding failed: ${messageOf(thrown)}`,
    delivered: "maybe",
    cause: thrown,
  });
}

/** Calls a function of a binding, and converts its exceptions to errors. */
export function convertErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    throw toOrgoError(thrown);
  }
}

/** Creates the error for an invalid parameter. */
export function invalidParameter(operation: string, field: string, problem: string, cause?: unknown): InvalidParameterError {
  return new InvalidParameterError({
    kind: "encode",
    message: `${operation}: \`${field}\` ${problem}`,
    delivered: "no",
    field,
    cause,
  });
}

/** Returns a function that throws the error for a part of this package whose code cannot be loaded. */
export const notLoaded = (part: string) => (cause: unknown) => {
  const message = `the code of ${part} cannot be loaded: ${messageOf(cause)}`;
  throw new BindingError({ kind: "binding", message, delivered: "no", cause });
};

/** Creates the error for `what` of more than `limit` bytes. */
export function responseTooLarge(operation: string, what: string, limit: number): ResponseTooLargeError {
  const message = `${operation}: ${what} is longer than ${limit} bytes`;
  return new ResponseTooLargeError({ kind: "too_large", message, delivered: "yes", limit });
}

/** Creates the error for an aborted operation. */
export function abortError(operation: string, reason: unknown, delivered: Delivered): AbortError {
  return new AbortError({ kind: "aborted", message: `${operation}: aborted by the caller`, delivered, cause: reason });
}

/** Creates the error for an exceeded time limit. `missing` describes what did not happen in time. */
export function timeoutError(operation: string, limit: number, missing: string, delivered: Delivered): TimeoutError {
  return new TimeoutError({
    kind: "timeout",
    message: `${operation}: ${missing} within ${limit} ms`,
    delivered,
    limit,
  });
}

/** Returns whether a value is an `Error`, also one of another realm. */
const isError = (value: unknown): value is Error =>
  value instanceof Error || ["[object Error]", "[object DOMException]"].includes(Object.prototype.toString.call(value));

/** Returns the message of a thrown value, which may be anything. */
export function messageOf(thrown: unknown): string {
  try {
    return isError(thrown) ? thrown.message : String(thrown);
  } catch {
    return "the thrown value has no text";
  }
}
