import type { CloseCause, Delivered, ErrorRecord } from "./types.js";

/**
 * Which error it is. Unlike `instanceof` it also holds between two copies of this package.
 *
 * `encode`, `decode`, `too_large`, `server`, `transport`, `timeout`, `aborted` and `closed` come from calls and channels;
 * `binding` is a binding that cannot be loaded, `computer` is a computer that cannot get into the wanted state.
 */
export type ErrorKind = ErrorRecord["kind"] | "binding" | "computer";

/** The fields of an error; those that do not apply are absent. */
export interface ErrorFields extends Omit<ErrorRecord, "kind" | "cause"> {
  kind: ErrorKind;
  cause?: unknown;
}

/** The base of every error of this package. Fields that do not apply to an error are absent. */
export class OrgoError extends Error {
  /** Which error it is. */
  declare readonly kind: ErrorKind;
  /** Whether the call took effect on the server. */
  declare readonly delivered: Delivered;
  /** The parameter or option that is not acceptable. */
  declare readonly field?: string;
  /** The place in the answer that is not of the documented shape, as `desktops[3].ram`. */
  declare readonly path?: string;
  /** The status code of the answer. */
  declare readonly status?: number;
  /** The server's stable name of the error, as `computer_waking`. */
  declare readonly code?: string;
  /** The id to quote to support. */
  declare readonly request_id?: string;
  /** The status of the desktop, where the failure came from it. */
  declare readonly upstream_status?: number;
  /** How long to wait before another try, in seconds. */
  declare readonly retry_after?: number;
  /**
   * The body of the response: at most 4 KiB, with secrets masked, and with control characters escaped except for line
   * breaks and tabs.
   */
  declare readonly body?: string;
  /** The limit that was exceeded: in milliseconds, or of a response that is too large in bytes. */
  declare readonly limit?: number;

  /** @internal */
  constructor({ message, cause, ...fields }: ErrorFields) {
    super(message, cause === undefined ? undefined : { cause });
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) Object.defineProperty(this, name, { value, enumerable: true });
    }
  }

  static {
    this.prototype.name = "OrgoError";
  }
}

/** A parameter or an option is not acceptable. Nothing was sent. */
export class InvalidParameterError extends OrgoError {
  declare readonly field: string;

  static {
    this.prototype.name = "InvalidParameterError";
  }
}

/** The answer is not of the documented shape. The call was carried out. */
export class DecodeError extends OrgoError {
  declare readonly path: string;
  declare readonly status: number;
  declare readonly body: string;

  static {
    this.prototype.name = "DecodeError";
  }
}

/** The body of the response exceeds `maxResponseBytes`, which is `limit`. The call was carried out. */
export class ResponseTooLargeError extends OrgoError {
  declare readonly status: number;
  declare readonly limit: number;

  static {
    this.prototype.name = "ResponseTooLargeError";
  }
}

/** The server refused. Its subclasses are the refusals by status code. */
export class APIError extends OrgoError {
  declare readonly status: number;

  static {
    this.prototype.name = "APIError";
  }
}

/** 400: the server does not accept a parameter, or the computer has no desktop at the moment. */
export class BadRequestError extends APIError {
  static {
    this.prototype.name = "BadRequestError";
  }
}

/** 401: the API key is missing or unknown. */
export class AuthenticationError extends APIError {
  static {
    this.prototype.name = "AuthenticationError";
  }
}

/** 403: the key does not allow it, or the plan's limit is reached. */
export class PermissionDeniedError extends APIError {
  static {
    this.prototype.name = "PermissionDeniedError";
  }
}

/** 404: there is no such thing, or it is not yours. */
export class NotFoundError extends APIError {
  static {
    this.prototype.name = "NotFoundError";
  }
}

/** 409: not possible in the present state, for example while the computer is waking. */
export class ConflictError extends APIError {
  static {
    this.prototype.name = "ConflictError";
  }
}

/** 429: too many calls. `retry_after` says how long to wait, where the server tells. */
export class RateLimitError extends APIError {
  static {
    this.prototype.name = "RateLimitError";
  }
}

/** 5xx: the server or the desktop failed. */
export class ServerError extends APIError {
  static {
    this.prototype.name = "ServerError";
  }
}

/** The network failed before an answer was complete. */
export class ConnectionError extends OrgoError {
  static {
    this.prototype.name = "ConnectionError";
  }
}

/** A time limit ran out. */
export class TimeoutError extends OrgoError {
  declare readonly limit: number;

  static {
    this.prototype.name = "TimeoutError";
  }
}

/** The caller gave up, by its `AbortSignal`. */
export class AbortError extends OrgoError {
  /** The reason of the signal. */
  get reason(): unknown {
    return this.cause;
  }

  static {
    this.prototype.name = "AbortError";
  }
}

/** The channel ended; `cause` says why. */
export class ChannelClosedError extends OrgoError {
  declare readonly cause: CloseCause;

  static {
    this.prototype.name = "ChannelClosedError";
  }
}

/** Neither the native addon nor the WebAssembly module can be used; `cause` says why. */
export class BindingError extends OrgoError {
  static {
    this.prototype.name = "BindingError";
  }
}

/** The computer is in a state from which it does not come to the wanted one by itself. */
export class ComputerStateError extends OrgoError {
  static {
    this.prototype.name = "ComputerStateError";
  }
}

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

/** The error of a binding's record. */
export function errorFrom(record: ErrorRecord): OrgoError {
  if (record.kind !== "server") return new BY_KIND[record.kind](record);
  const status = record.status ?? 0;
  return new (BY_STATUS[status] ?? (status >= 500 ? ServerError : APIError))(record);
}

/** The error of a value that a binding threw: a record, unless the binding itself is broken. */
export function errorThrown(thrown: unknown): OrgoError {
  if (thrown instanceof OrgoError) return thrown;
  const record = thrown as Partial<ErrorRecord> | null;
  if (typeof record === "object" && typeof record?.kind === "string" && typeof record.message === "string") {
    return errorFrom(record as ErrorRecord);
  }
  return new BindingError({
    kind: "binding",
    message: `the binding failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    delivered: "maybe",
    cause: thrown,
  });
}

/** Runs what may throw a binding's record, and throws its error instead. */
export function rethrown<T>(run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    throw errorThrown(thrown);
  }
}

/** A refused parameter, in the words of the core. */
export function invalid(operation: string, field: string, problem: string): InvalidParameterError {
  return new InvalidParameterError({
    kind: "encode",
    message: `${operation}: \`${field}\` ${problem}`,
    delivered: "no",
    field,
  });
}

/** A call that was given up. */
export function aborted(operation: string, reason: unknown, delivered: Delivered): AbortError {
  return new AbortError({ kind: "aborted", message: `${operation}: aborted by the caller`, delivered, cause: reason });
}

/** A time limit that ran out. */
export function timedOut(operation: string, limit: number, waitedFor: string, delivered: Delivered): TimeoutError {
  return new TimeoutError({
    kind: "timeout",
    message: `${operation}: ${waitedFor} within ${limit} ms`,
    delivered,
    limit,
  });
}
