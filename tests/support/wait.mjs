// Functions that wait for conditions. They run in Node and in pages.

const PAUSE = 50;

/**
 * Calls `probe` repeatedly until it returns a value other than `undefined`, `null` or `false`, and returns this value.
 *
 * @template T
 * @param {string | (() => string)} what the condition, for the error message; a function adds what was seen last
 * @param {() => T | Promise<T>} probe
 * @param {number} [limit] the maximum time in milliseconds
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, probe, limit = 15_000) {
  const deadline = performance.now() + limit;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`${typeof what === "function" ? what() : what}: not within ${limit} ms`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/**
 * Returns the result of a promise, or fails after a maximum time.
 *
 * @template T
 * @param {string} what the condition, for the error message
 * @param {Promise<T>} promise
 * @param {number} [limit] the maximum time in milliseconds
 * @returns {Promise<T>}
 */
export function within(what, promise, limit = 15_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${limit} ms`)), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
