// What was heard, as figures.
import { numberOf } from "../../support/audio-server.mjs";
import { median, quantile } from "../measure.mjs";

/** The frames' numbers repeat after so many. */
const REPEAT = 1000;
/** How long after a disturbance the delay should be back, and how long before the next one nobody looks any more. */
const RECOVERY = 2;
const BEFORE_NEXT = 1;

/**
 * @param {[now: number, value: number | null, silent: number][]} blocks what the tap heard: when, in milliseconds of the
 *   wall clock, what value, and how much of it was silence, in seconds
 * @param {{ began: number, pace: number }} server
 * @param {number} seconds how long was listened
 * @param {[now: number, target: number][]} targets what the player wanted to have buffered, if it is the package's
 * @param {number} [every] how often the line is disturbed, in seconds
 */
export function judge(blocks, server, seconds, targets, every) {
  const heard = blocks
    .filter(([, value, silent]) => value !== null && silent === 0)
    .map(([now, value]) => ({ now, latency: latencyOf(now, value, server) }));
  const latencies = heard.map(({ latency }) => latency);
  const tenth = (number) => latencies.slice((latencies.length * number) / 10, (latencies.length * (number + 1)) / 10);
  const minutes = seconds / 60;
  return {
    p50: quantile(latencies, 0.5),
    p95: quantile(latencies, 0.95),
    underruns: blocks.filter(([, , silent], at) => silent > 0 && blocks[at - 1]?.[2] === 0).length / minutes,
    concealed: (blocks.reduce((sum, [, , silent]) => sum + silent, 0) * 1000) / minutes,
    early: median(tenth(1)),
    late: median(tenth(9)),
    ...(every !== undefined && targets.length > 0 && { beyond: beyond(heard, server, targets, every) }),
  };
}

/** How long ago the frame was sent whose value is heard now, in milliseconds. */
function latencyOf(now, value, { began, pace }) {
  const newest = (now - began) / pace - 1;
  // The value says which of the last thousand frames it was.
  return ((((newest - numberOf(value)) % REPEAT) + REPEAT) % REPEAT) * pace;
}

/** How far beyond the target the delay is once it should be back, in milliseconds. */
function beyond(heard, { began }, targets, every) {
  const settled = heard.filter(({ now }) => {
    const since = ((now - began) / 1000) % every;
    return since > RECOVERY && since < every - BEFORE_NEXT;
  });
  return median(settled.map(({ now, latency }) => latency - (targets.findLast(([time]) => time <= now) ?? targets[0])[1]));
}
