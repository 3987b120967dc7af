import { InvalidParameterError, invalidParameter } from "../errors.js";
import { checkFields, checks, checkWellFormed } from "../options.js";

const OPERATION = "request";

/** A request to a path for which this package has no method. */
export interface RequestParams {
  /** The HTTP method. */
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /**
   * The path relative to the base URL, with a leading slash, such as `/computers`. Encode each segment with
   * `encodeURIComponent`.
   */
  path: string;
  /**
   * The query parameters. A list is sent as one parameter per element, all with the same name. `undefined` and `null` are
   * omitted. Default: none.
   */
  query?: Record<string, QueryValue | QueryValue[] | undefined>;
  /** The body: any value that JSON can represent, including `null`. Not allowed for GET. Default: no body. */
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
  if (params === undefined) throw invalidParameter(OPERATION, "params", "is required: { method, path }");
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

/** Converts a value to the JSON value that `JSON.stringify` would send, but refuses values that would be lost. */
function toJson(name: string, value: unknown): unknown {
  const refused = (found: string) =>
    invalidParameter(OPERATION, name, `must contain only values that JSON can represent, not ${found}`);
  let text: string | undefined;
  try {
    text = JSON.stringify(value, function (this: Record<string, unknown>, key, afterToJson) {
      const found = lostInJson(this[key]);
      if (found !== undefined) throw refused(found);
      return afterToJson;
    });
  } catch (cause) {
    if (cause instanceof InvalidParameterError) throw cause;
    throw refused(cause instanceof RangeError ? "so many levels of nesting" : "a circular reference or a failing `toJSON`");
  }
  if (text === undefined) throw refused(`a ${typeof value}`);
  return JSON.parse(text, (key, inner) => {
    checkWellFormed(OPERATION, name, [key, inner]);
    return inner;
  });
}

/** Returns the kind of a value that `JSON.stringify` would drop or send as something else; `undefined` for other values. */
function lostInJson(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : String(value);
  if (["function", "symbol", "bigint"].includes(typeof value)) return `a ${typeof value}`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (kind === "Object" || kind === "Date") return undefined;
  return ["String", "Number", "Boolean"].includes(kind) ? undefined : `a value of the type ${kind}`;
}
