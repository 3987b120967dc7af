import { invalid } from "../errors.js";
import { checkFields, checks, checkWhole } from "../options.js";

const OPERATION = "request";

/** A request that this package has no method for. */
export interface RequestParams {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The path below the base URL, with a slash in front, such as `/computers`. Encode each segment by `encodeURIComponent`. */
  path: string;
  /** The parameters of the query. A list repeats its name; `undefined` and `null` are left out. */
  query?: Record<string, QueryValue | QueryValue[] | undefined>;
  /** The body: anything that JSON can hold. A GET request has none. */
  body?: unknown;
  /**
   * What a second execution of the request changes, which decides about retries: `read` and `idempotent` ones are retried
   * after any passing failure, `once` only if the server provably did nothing. Default: `read` for GET, `idempotent` for
   * PUT and DELETE, `once` for POST and PATCH.
   */
  effect?: "read" | "idempotent" | "once";
}

type QueryValue = string | number | boolean | null;

/**
 * The parameters as a binding takes them.
 *
 * @throws InvalidParameterError for a value that JSON cannot hold. Methods, paths and effects are checked by the core.
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
    if (value !== undefined) plain[name] = plainJson(name, value);
  }
  return plain;
}

/** A copy that holds nothing but JSON, as `JSON.stringify` would send it. */
function plainJson(name: string, value: unknown): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw invalid(OPERATION, name, `must be a value that JSON can hold: ${cause instanceof Error ? cause.message : cause}`);
  }
  if (text === undefined) throw invalid(OPERATION, name, `must be a value that JSON can hold, not a ${typeof value}`);
  return JSON.parse(text, (key, inner) => {
    checkWhole(OPERATION, name, [key, inner]);
    return inner;
  });
}
