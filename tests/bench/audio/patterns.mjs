// What networks, pages and clocks do.
import { seeded } from "../../support/audio-server.mjs";

const jitter = (seed) => {
  const random = seeded(seed);
  return () => random() * 0.04;
};

/** The last 200 ms before every fifth second arrive at it. */
const stall = (frame) => {
  const time = (frame * 0.02) % 5;
  return time > 4.8 ? 5 - time : 0;
};

/** The package's own ways to the worklet. */
const OURS = ["port", "ring"];

/**
 * For each: the line for a seed, and what is special about the page. `every` is how often something happens from which
 * the delay has to come back, in seconds, `only` the ways that are looked at.
 */
export const patterns = {
  ideal: { line: () => ({}) },
  "jitter of 40 ms": { line: (seed) => ({ delay: jitter(seed) }) },
  "stall of 200 ms every 5 s": { line: () => ({ delay: stall }), every: 5 },
  "page blocked 300 ms every 2 s": { line: () => ({}), block: { length: 300, every: 2000 } },
  "sender 200 ppm fast": { line: () => ({ ppm: 200 }) },
  "sender 200 ppm slow": { line: () => ({ ppm: -200 }) },
  "48 kHz stereo into 44.1 kHz": { line: () => ({ rate: 48_000, channels: 2 }), contextRate: 44_100, only: OURS },
  "24 kHz into 48 kHz": { line: () => ({}), contextRate: 48_000, only: [...OURS, "buffers"] },
  "drop and redial": { line: () => ({ down: [10, 10.1] }), only: OURS },
};
