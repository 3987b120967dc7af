// The conditions of the benchmark: networks, pages and clocks.
import { seeded } from "../../support/audio-server.mjs";

const jitter = (seed) => {
  const random = seeded(seed);
  return () => random() * 0.04;
};

/** Returns the delay of a frame if, every 5 s, the frames of the last 200 ms arrive at the same time. */
const stall = (frame) => {
  const time = (frame * 0.02) % 5;
  return time > 4.8 ? 5 - time : 0;
};

/** The transports of the package's player. */
const PACKAGE = ["port", "ring"];

/**
 * The conditions by name. `line` returns the settings of the audio server for a seed. `every` is the interval between
 * disturbances after which the delay must recover, in seconds. `only` lists the players to measure; default: all. `block`
 * and `contextRate` are settings of the page.
 */
export const patterns = {
  ideal: { line: () => ({}) },
  "jitter of 40 ms": { line: (seed) => ({ delay: jitter(seed) }) },
  "stall of 200 ms every 5 s": { line: () => ({ delay: stall }), every: 5 },
  "page blocked 300 ms every 2 s": { line: () => ({}), block: { length: 300, every: 2000 } },
  "sender 200 ppm fast": { line: () => ({ ppm: 200 }) },
  "sender 200 ppm slow": { line: () => ({ ppm: -200 }) },
  "48 kHz stereo into 44.1 kHz": { line: () => ({ rate: 48_000, channels: 2 }), contextRate: 44_100, only: PACKAGE },
  "24 kHz into 48 kHz": { line: () => ({}), contextRate: 48_000, only: [...PACKAGE, "buffers"] },
  "disconnect and reconnect": { line: () => ({ down: [10, 10.1] }), only: PACKAGE },
};
