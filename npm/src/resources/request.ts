import { invalidParameter } from "../errors.js";
import { checkFields, checks, checkWellFormed } from "../options.js";

const OPERATION = "request";

/** A request to a path for which this package has no method. */
export interface RequestParams {
  /** The HTTP method. */
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The path relative to the base URL, with a leading slash, such as `/computers`. Encode each segment with `encodeURIComponent`. */
  path: string;
  /** The query parameters. A list repeats its name; `undefined` and `null` are omitted. Default: none. */
  query?: Record<string, QueryValue | QueryValue[] | undefined>;
  /** The body: any value that JSON can represent. Not allowed for GET. Default: no body. */
  body?: unknown;
  /**
   * The effect of the request, which determines the retries: `read` and `idempotent` requests are retried after any temporary
   * failure, `once` requests only if the server certainly did not execute them. Default: `read` for GET, `idempotent` for PUT and
   * DELETE, `once` for POST and PATCH.
   */
  effect?: "read" | "idempotent" | "once";
}

type QueryValue = string | number | boolean | null;

/**
 * Converts the parameters to those of a binding. The core checks the method, the path and the effect.
 *
 * @throws InvalidParameterError for a value that JSON cannot represent.
 */
export function requestParameters(params: RequestParams): Record<string, unknown> {
  checkFields(OPERATION, "params", params, {
    method: checks.string,
    path: checks.string,
    query: checks.object,
    body: checks.any,
    effect: checks.string,
  });
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) plain[name] = toJson(name, value);
  }
  return plain;
}

/** Converts a value to the JSON value that `JSON.stringify` would send. */
function toJson(name: string, value: unknown): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw invalidParameter(
      OPERATION,
      name,
      `must be a value that JSON can represent: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
  if (text === undefined)
    throw invalidParameter(OPERATION, name, `must be a value that JSON can represent, not a ${typeof value}`);
  return JSON.parse(text, (key, inner) => {
    checkWellFormed(OPERATION, name, [key, inner]);
    return inner;
  });
}
