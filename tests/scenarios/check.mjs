// Assertions for Node and pages.

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
 * Fails unless `promise` rejects with an error of the class. Returns the error.
 *
 * @template {Error} E
 * @param {Promise<unknown>} promise
 * @param {abstract new (...args: any) => E} Class
 * @param {string} what
 * @returns {Promise<E>}
 */
export async function rejects(promise, Class, what) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    if (error instanceof Class) return error;
    const actual = `${error?.name}: ${error?.message}`;
    throw new Error(`${what}: rejected with ${actual}, not ${Class.prototype.name}`, { cause: error });
  }
  throw new Error(`${what}: resolved with ${shown(value)} instead of rejecting with ${Class.prototype.name}`);
}
