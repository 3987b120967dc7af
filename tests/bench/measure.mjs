// Time measurement in Node and in pages.

/**
 * Runs every variant once per round. Each round starts with a different variant, so that other load on the machine
 * affects all variants equally.
 *
 * @param {Record<string, () => Promise<unknown>>} variants
 * @param {number} rounds
 * @returns {Promise<Record<string, number[]>>} the time of every round in milliseconds, for each variant
 */
export async function interleave(variants, rounds) {
  const names = Object.keys(variants);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + WARM_UP + turn) % names.length];
      const start = performance.now();
      await variants[name]();
      if (round >= 0) times[name].push(performance.now() - start);
    }
  }
  return times;
}

/** The number of unmeasured rounds at the start, in which connections are opened and code is compiled. */
const WARM_UP = 3;

/** Returns a quantile: the value that is larger than `fraction` of the values. */
export function quantile(values, fraction) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * fraction), sorted.length - 1)];
}

export const median = (values) => quantile(values, 0.5);

/** Returns the lower quartile, the median and the upper quartile. */
export const quartiles = (values) => [0.25, 0.5, 0.75].map((fraction) => quantile(values, fraction));

/** Returns the elements of a list in random order. */
export function shuffled(list) {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}
