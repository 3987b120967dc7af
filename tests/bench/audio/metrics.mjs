// Computes the delay and the underruns of an audio player from a recording of its output.
import { numberOf } from "../../support/audio-server.mjs";
import { median, quantile } from "../measure.mjs";

/** The number of frames after which the frame numbers repeat. */
const REPEAT = 1000;
/** The time after a disturbance in which the delay recovers and is not measured, in seconds. */
const RECOVERY = 2;
/** The time before a disturbance in which the delay is not measured, in seconds. */
const BEFORE_NEXT = 1;

/**
 * @param {[now: number, value: number | null, silent: number][]} blocks the blocks that the tap recorded: the wall
 *   clock time in milliseconds, the sample value, and the duration of silence in the block, in seconds
 * @param {{ began: number, pace: number }} server
 * @param {number} seconds the duration of the recording
 * @param {[now: number, target: number][]} targets the target delays of the package's player; empty for other players
 * @param {number} [every] the interval of the disturbances, in seconds
 */
export function computeMetrics(blocks, server, seconds, targets, every) {
  const audible = blocks
    .filter(([, value, silent]) => value !== null && silent === 0)
    .map(([now, value]) => ({ now, latency: latencyOf(now, value, server) }));
  const latencies = audible.map(({ latency }) => latency);
  const tenth = (number) => latencies.slice((latencies.length * number) / 10, (latencies.length * (number + 1)) / 10);
  const minutes = seconds / 60;
  return {
    p50: quantile(latencies, 0.5),
    p95: quantile(latencies, 0.95),
    underruns: blocks.filter(([, , silent], at) => silent > 0 && blocks[at - 1]?.[2] === 0).length / minutes,
    concealed: (blocks.reduce((sum, [, , silent]) => sum + silent, 0) * 1000) / minutes,
    early: median(tenth(1)),
    late: median(tenth(9)),
    ...(every !== undefined && targets.length > 0 && { beyond: beyondTarget(audible, server, targets, every) }),
  };
}

/** Returns the time since the server sent the frame that plays now, in milliseconds. */
function latencyOf(now, value, { began, pace }) {
  const newest = (now - began) / pace - 1;
  // The value contains the frame number modulo 1000.
  return ((((newest - numberOf(value)) % REPEAT) + REPEAT) % REPEAT) * pace;
}

/** Returns the median difference between the delay and its target, without the times of recovery, in milliseconds. */
function beyondTarget(audible, { began }, targets, every) {
  const settled = audible.filter(({ now }) => {
    const since = ((now - began) / 1000) % every;
    return since > RECOVERY && since < every - BEFORE_NEXT;
  });
  return median(settled.map(({ now, latency }) => latency - (targets.findLast(([time]) => time <= now) ?? targets[0])[1]));
}
