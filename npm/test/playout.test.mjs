// The playout of the worklet. The core tests the WebAssembly module; these tests cover the JavaScript around it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { source } from "./support/source.mjs";

const { Playout } = source;
const module = new WebAssembly.Module(readFileSync(new URL("../../target/playout.wasm", import.meta.url)));

const RATE = 24_000;
const BLOCK = 128;
const DEPTH = { initial: 60, minimum: 60 };
/** The largest change between two frames in a 5 ms fade of a constant 0.5, doubled for a step that is spread over the fade. */
const LARGEST_STEP = (2 * 0.5) / (0.005 * RATE) + 1e-6;

const constant = (frames, channels = 1, sample_rate = RATE) => ({
  samples: new Float32Array(frames * channels).fill(0.5),
  sample_rate,
  channels,
});

/** Pushes audio in packets like those of a network. */
function push(playout, packets, ...format) {
  for (let packet = 0; packet < packets; packet++) playout.push(constant(480, ...format));
}

/** Pulls a number of seconds of two channels, and checks that the counts add up. */
function pull(playout, seconds) {
  const samples = [[], []];
  for (let block = 0; block < (seconds * RATE) / BLOCK; block++) {
    const output = [new Float32Array(BLOCK), new Float32Array(BLOCK)];
    playout.pull(output);
    for (const [at, channel] of output.entries()) samples[at].push(...channel);
    const { received, played, buffered, dropped } = playout.report();
    assert.equal(received, played + buffered + dropped);
  }
  return samples;
}

const largestStep = (samples) =>
  samples.reduce((most, value, at) => Math.max(most, Math.abs(value - (samples[at - 1] ?? value))), 0);

test("the module imports nothing", () => {
  assert.deepEqual(WebAssembly.Module.imports(module), []);
});

test("the output is silent before any audio arrives", () => {
  const playout = new Playout(module, RATE, DEPTH);
  assert.deepEqual(playout.report().received, 0);
  assert.ok(pull(playout, 0.1)[0].every((sample) => sample === 0));
  playout.push(constant(480));
  assert.ok(pull(playout, 0.1)[0].every((sample) => sample === 0));
  assert.equal(playout.report().playing, false);
});

test("mono audio is played on both channels, and its level is measured", () => {
  const playout = new Playout(module, RATE, DEPTH);
  push(playout, 5);
  const [left, right] = pull(playout, 0.03);
  assert.deepEqual(left, right);
  playout.pull([new Float32Array(BLOCK), new Float32Array(BLOCK)]);
  const { playing, peak, rms, target, rate } = playout.report();
  assert.equal(playing, true);
  assert.ok(Math.abs(peak - 0.5) < 1e-3 && Math.abs(rms - 0.5) < 1e-3);
  assert.ok(target >= 60 && Math.abs(rate - 1) <= 0.005);
});

test("a chunk larger than the maximum is pushed in pieces", () => {
  const playout = new Playout(module, RATE, DEPTH);
  playout.push(constant(100_000, 3));
  assert.equal(playout.report().received, 100_000);
  pull(playout, 0.1);
});

test("a change of the format fades out and in", () => {
  const playout = new Playout(module, RATE, DEPTH);
  push(playout, 5);
  const samples = pull(playout, 0.03)[0];
  push(playout, 10, 2, 48_000);
  samples.push(...pull(playout, 0.04)[0]);
  assert.ok(largestStep(samples) <= LARGEST_STEP, `a step of ${largestStep(samples)}`);
  assert.ok(Math.abs(samples.at(-1) - 0.5) < 1e-3);
  assert.equal(playout.report().received, 15 * 480);
});

test("playback continues without a click after a discontinuity and after a loss", () => {
  const playout = new Playout(module, RATE, DEPTH);
  const negative = (discontinuity) => {
    const chunk = constant(480);
    return { ...chunk, samples: chunk.samples.map((sample) => -sample), discontinuity };
  };
  push(playout, 3);
  const samples = pull(playout, 0.02)[0];
  playout.push(negative(true));
  playout.push(negative(false));
  samples.push(...pull(playout, 0.04)[0]);
  playout.addLost(100);
  push(playout, 3);
  samples.push(...pull(playout, 0.08)[0]);
  assert.ok(Math.min(...samples) < -0.499, "both are played");
  assert.ok(largestStep(samples) <= LARGEST_STEP, `a step of ${largestStep(samples)}`);
});

test("a pause fades out and drops audio, and playback continues with new audio", () => {
  const playout = new Playout(module, RATE, DEPTH);
  push(playout, 5);
  const samples = pull(playout, 0.03)[0];
  playout.pause(true);
  samples.push(...pull(playout, 0.02)[0]);
  assert.equal(samples.at(-1), 0);
  playout.push(constant(RATE));
  assert.ok(pull(playout, 0.1)[0].every((sample) => sample === 0));
  const { dropped, buffered, underruns } = playout.report();
  assert.ok(dropped > RATE && buffered === 0 && underruns === 0);
  playout.pause(false);
  push(playout, 5);
  samples.push(...pull(playout, 0.03)[0]);
  assert.ok(Math.abs(samples.at(-1) - 0.5) < 1e-3);
  assert.ok(largestStep(samples) <= LARGEST_STEP);
});

test("a change of the format during a pause plays nothing", () => {
  const playout = new Playout(module, RATE, DEPTH);
  playout.pause(true);
  push(playout, 5);
  push(playout, 5, 2);
  assert.ok(pull(playout, 0.1)[0].every((sample) => sample === 0));
  assert.equal(playout.report().received, 10 * 480);
});

test("a stop fades out and ends the playout", () => {
  const playout = new Playout(module, RATE, DEPTH);
  push(playout, 5);
  const samples = pull(playout, 0.03)[0];
  assert.equal(playout.stopped, false);
  playout.stop();
  samples.push(...pull(playout, 0.02)[0]);
  assert.equal(playout.stopped, true);
  assert.equal(samples.at(-1), 0);
  assert.ok(largestStep(samples) <= LARGEST_STEP);
});

test("lost frames count as received and dropped", () => {
  const playout = new Playout(module, RATE, DEPTH);
  playout.addLost(7);
  playout.push(constant(10));
  const { received, dropped, buffered } = playout.report();
  assert.deepEqual([received, dropped, buffered], [17, 7, 10]);
});
