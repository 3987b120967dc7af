import assert from "node:assert/strict";
import test from "node:test";
import { source } from "./support/source.mjs";

const { Volume } = source;

const RATE = 24_000;
const ones = () => [new Float32Array(128).fill(1), new Float32Array(128).fill(1)];

test("a constant volume only scales the samples", () => {
  const [loud, soft] = [new Volume(RATE, 1), new Volume(RATE, 0.25)];
  const channels = ones();
  loud.apply(channels);
  assert.deepEqual(channels, ones());
  soft.apply(channels);
  assert.ok(channels.flatMap((samples) => [...samples]).every((sample) => sample === 0.25));
});

test("a change ramps without a step, equally on all channels, to its target", () => {
  const volume = new Volume(RATE, 0.5);
  const scaled = [];
  for (const target of [1, 0, 2]) {
    volume.rampTo(target);
    for (let block = 0; block < 40; block++) {
      const [left, right] = ones();
      volume.apply([left, right]);
      assert.deepEqual(left, right);
      scaled.push(...left);
    }
    assert.equal(scaled.at(-1), target);
  }
  const steps = scaled.map((sample, at) => Math.abs(sample - (scaled[at - 1] ?? 0.5)));
  // The largest change of the volume is by 2. Its first step is a 240th of that.
  assert.ok(Math.max(...steps) <= 2 / 240, `a step of ${Math.max(...steps)}`);
});
