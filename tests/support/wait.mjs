// Waiting for conditions. It runs in Node and in pages.

const PAUSE = 50;

/**
 * Calls `probe` until it gives something other than `undefined`, `null` or `false`, and returns that.
 *
 * @template T
 * @param {string} what what is waited for, for the error
 * @param {() => T | Promise<T>} probe
 * @param {number} [limit] in milliseconds
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, probe, limit = 15_000) {
  const deadline = performance.now() + limit;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limit} ms`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/**
 * The result of `work`, or an error that says what was waited for.
 *
 * @template T
 * @param {string} what
 * @param {Promise<T>} work
 * @param {number} [limit] in milliseconds
 * @returns {Promise<T>}
 */
export function within(what, work, limit = 15_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${limit} ms`)), limit);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
