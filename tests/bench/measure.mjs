// Timing, in Node and in pages.

/**
 * Runs every variant once per round, each round beginning with another one, so that what else the machine does meets all
 * of them alike.
 *
 * @param {Record<string, () => Promise<unknown>>} variants
 * @param {number} rounds
 * @returns {Promise<Record<string, number[]>>} the times of every variant in milliseconds, by round
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

/** Rounds that do not count: connections are opened and code is compiled in them. */
const WARM_UP = 3;

/** The value below which that part of the values lies. */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)];
}

export const median = (values) => quantile(values, 0.5);
