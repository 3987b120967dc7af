// Assertions that run in Node and in pages.

const shown = (value) => (typeof value === "string" ? JSON.stringify(value) : String(value));

export function ok(condition, what) {
  if (!condition) throw new Error(what);
}

export function equal(actual, expected, what) {
  ok(Object.is(actual, expected), `${what}: ${shown(actual)}, not ${shown(expected)}`);
}

/** Fails unless `actual` is within `tolerance` of `expected`. */
export function near(actual, expected, tolerance, what) {
  ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected} ± ${tolerance}`);
}

/**
 * The error with which `work` rejects, which has to be of that class.
 *
 * @template {Error} E
 * @param {Promise<unknown>} work
 * @param {abstract new (...args: any) => E} Class
 * @param {string} what
 * @returns {Promise<E>}
 */
export async function rejects(work, Class, what) {
  let value;
  try {
    value = await work;
  } catch (error) {
    if (error instanceof Class) return error;
    const came = `${error?.name}: ${error?.message}`;
    throw new Error(`${what}: rejected with ${came}, not ${Class.prototype.name}`, { cause: error });
  }
  throw new Error(`${what}: gave ${shown(value)} instead of rejecting with ${Class.prototype.name}`);
}
