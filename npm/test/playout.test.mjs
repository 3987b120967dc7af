// The playout of the worklet: what its module does is tested in the core, here is what JavaScript adds to it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { source } from "./support/source.mjs";

const { Playout } = source;
const module = new WebAssembly.Module(readFileSync(new URL("../../target/playout.wasm", import.meta.url)));

const RATE = 24_000;
const BLOCK = 128;
const DEPTH = { first: 60, least: 60 };
/** The most that a fade of 5 ms changes a constant of 0.5 from frame to frame, and as much again for a spread step. */
const LARGEST_STEP = (2 * 0.5) / (0.005 * RATE) + 1e-6;

const constant = (frames, channels = 1, sample_rate = RATE) => ({
  samples: new Float32Array(frames * channels).fill(0.5),
  sample_rate,
  channels,
});

/** As a network brings it. */
function push(playout, packets, ...format) {
  for (let packet = 0; packet < packets; packet++) playout.push(constant(480, ...format));
}

/** Asks for so many seconds of two channels, and holds the figures to their sum. */
function listen(playout, seconds) {
  const heard = [[], []];
  for (let block = 0; block < (seconds * RATE) / BLOCK; block++) {
    const output = [new Float32Array(BLOCK), new Float32Array(BLOCK)];
    playout.pull(output);
    for (const [at, channel] of output.entries()) heard[at].push(...channel);
    const { received, played, buffered, dropped } = playout.report();
    assert.equal(received, played + buffered + dropped);
  }
  return heard;
}

const largestStep = (samples) =>
  samples.reduce((most, value, at) => Math.max(most, Math.abs(value - (samples[at - 1] ?? value))), 0);

test("the module imports nothing", () => {
  assert.deepEqual(WebAssembly.Module.imports(module), []);
});

test("before there is sound there is silence", () => {
  const playout = new Playout(module, RATE, DEPTH);
  assert.deepEqual(playout.report().received, 0);
  assert.ok(listen(playout, 0.1)[0].every((sample) => sample === 0));
  playout.push(constant(480));
  assert.ok(listen(playout, 0.1)[0].every((sample) => sample === 0));
  assert.equal(playout.report().playing, false);
});

test("a mono sound is heard on both sides, and measured", () => {
  const playout = new Playout(module, RATE, DEPTH);
  push(playout, 5);
  const [left, right] = listen(playout, 0.03);
  assert.deepEqual(left, right);
  playout.pull([new Float32Array(BLOCK), new Float32Array(BLOCK)]);
  const { playing, peak, rms, target, rate } = playout.report();
  assert.equal(playing, true);
  assert.ok(Math.abs(peak - 0.5) < 1e-3 && Math.abs(rms - 0.5) < 1e-3);
  assert.ok(target >= 60 && Math.abs(rate - 1) <= 0.005);
});

test("more than the module takes at once is handed over in pieces", () => {
  const playout = new Playout(module, RATE, DEPTH);
  playout.push(constant(100_000, 3));
  assert.equal(playout.report().received, 100_000);
  listen(playout, 0.1);
});

test("a change of the format fades from one to the other", () => {
  const playout = new Playout(module, RATE, DEPTH);
  push(playout, 5);
  const heard = listen(playout, 0.03)[0];
  push(playout, 10, 2, 48_000);
  heard.push(...listen(playout, 0.04)[0]);
  assert.ok(largestStep(heard) <= LARGEST_STEP, `a step of ${largestStep(heard)}`);
  assert.ok(Math.abs(heard.at(-1) - 0.5) < 1e-3);
  assert.equal(playout.report().received, 15 * 480);
});

test("what begins anew is joined without a click, and so is what follows a loss", () => {
  const playout = new Playout(module, RATE, DEPTH);
  const negative = (begins) => {
    const chunk = constant(480);
    return { ...chunk, samples: chunk.samples.map((sample) => -sample), begins };
  };
  push(playout, 3);
  const heard = listen(playout, 0.02)[0];
  playout.push(negative(true));
  playout.push(negative(false));
  heard.push(...listen(playout, 0.04)[0]);
  playout.lose(100);
  push(playout, 3);
  heard.push(...listen(playout, 0.08)[0]);
  assert.ok(Math.min(...heard) < -0.499, "both are heard");
  assert.ok(largestStep(heard) <= LARGEST_STEP, `a step of ${largestStep(heard)}`);
});

test("a pause fades out, drops what comes, and goes on with what comes then", () => {
  const playout = new Playout(module, RATE, DEPTH);
  push(playout, 5);
  const heard = listen(playout, 0.03)[0];
  playout.pause(true);
  heard.push(...listen(playout, 0.02)[0]);
  assert.equal(heard.at(-1), 0);
  playout.push(constant(RATE));
  assert.ok(listen(playout, 0.1)[0].every((sample) => sample === 0));
  const { dropped, buffered, underruns } = playout.report();
  assert.ok(dropped > RATE && buffered === 0 && underruns === 0);
  playout.pause(false);
  push(playout, 5);
  heard.push(...listen(playout, 0.03)[0]);
  assert.ok(Math.abs(heard.at(-1) - 0.5) < 1e-3);
  assert.ok(largestStep(heard) <= LARGEST_STEP);
});

test("a format that changes in a pause is no sound", () => {
  const playout = new Playout(module, RATE, DEPTH);
  playout.pause(true);
  push(playout, 5);
  push(playout, 5, 2);
  assert.ok(listen(playout, 0.1)[0].every((sample) => sample === 0));
  assert.equal(playout.report().received, 10 * 480);
});

test("it fades out and ends", () => {
  const playout = new Playout(module, RATE, DEPTH);
  push(playout, 5);
  const heard = listen(playout, 0.03)[0];
  assert.equal(playout.stopped, false);
  playout.stop();
  heard.push(...listen(playout, 0.02)[0]);
  assert.equal(playout.stopped, true);
  assert.equal(heard.at(-1), 0);
  assert.ok(largestStep(heard) <= LARGEST_STEP);
});

test("what was lost on the way is received and dropped", () => {
  const playout = new Playout(module, RATE, DEPTH);
  playout.lose(7);
  playout.push(constant(10));
  const { received, dropped, buffered } = playout.report();
  assert.deepEqual([received, dropped, buffered], [17, 7, 10]);
});
