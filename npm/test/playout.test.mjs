import assert from "node:assert/strict";
import test from "node:test";
import { Playout } from "../src/audio/playout.js";

const BLOCK = 128;
/** The most that a step from one end of a tone of 0.5 to the other adds when it is spread over 128 frames. */
const SPREAD_STEP = (2 * 0.5) / 128;

/** Asks for so many seconds of sound, block by block; `before` is called before each with the time so far. */
function run(playout, seconds, before = () => {}, channels = 1) {
  const { outputRate } = playout;
  const blocks = Math.round((seconds * outputRate) / BLOCK);
  const result = Array.from({ length: channels }, () => new Float32Array(blocks * BLOCK));
  for (let block = 0; block < blocks; block++) {
    before((block * BLOCK) / outputRate);
    playout.pull(result.map((channel) => channel.subarray(block * BLOCK, (block + 1) * BLOCK)));
    const { received, played, buffered, dropped } = playout.report();
    assert.equal(received, played + buffered + dropped);
  }
  return result;
}

/** A sender of 20 ms packets of a tone whose clock runs at `speed`. */
function sender(playout, { frequency = 440, speed = 1, amplitude = 0.5, late = () => 0 } = {}) {
  const { inputRate, channels } = playout;
  const frames = inputRate / 50;
  let sent = 0;
  return (time) => {
    while (sent / 50 / speed + late(sent) <= time) {
      const packet = new Float32Array(frames * channels);
      for (let frame = 0; frame < frames; frame++) {
        const value = amplitude * Math.sin((2 * Math.PI * frequency * (sent * frames + frame)) / inputRate);
        packet.fill(value, frame * channels, (frame + 1) * channels);
      }
      playout.push(packet);
      sent += 1;
    }
  };
}

/** The frequency of a tone, by its rising zeros. */
function frequencyOf(samples, rate) {
  const zeros = [];
  for (let at = 1; at < samples.length; at++) {
    if (samples[at - 1] < 0 && samples[at] >= 0) zeros.push(at - samples[at] / (samples[at] - samples[at - 1]));
  }
  return ((zeros.length - 1) * rate) / (zeros.at(-1) - zeros[0]);
}

const largestStep = (samples) =>
  samples.reduce((most, value, at) => Math.max(most, Math.abs(value - samples[Math.max(0, at - 1)])), 0);
/** The largest step of a tone by itself. */
const ownStep = (frequency, rate, amplitude = 0.5) => 2 * Math.PI * (frequency / rate) * amplitude;

test("sound begins at the target depth and not before", () => {
  const playout = new Playout(24_000, 1, 24_000);
  playout.push(new Float32Array(1200).fill(0.5));
  assert.ok(run(playout, 0.05)[0].every((value) => value === 0));
  assert.equal(playout.report().playing, false);
  playout.push(new Float32Array(480).fill(0.5));
  const [sound] = run(playout, 0.02);
  assert.ok(Math.abs(sound.at(-1) - 0.5) < 0.01);
  assert.equal(playout.report().concealed, 0);
});

for (const [inputRate, outputRate] of [
  [24_000, 24_000],
  [24_000, 48_000],
  [24_000, 44_100],
  [48_000, 24_000],
]) {
  test(`a tone of ${inputRate} Hz keeps its pitch and loudness at ${outputRate} Hz`, () => {
    const playout = new Playout(inputRate, 1, outputRate);
    const [sound] = run(playout, 10, sender(playout));
    const steady = sound.subarray(5 * outputRate);
    assert.ok(Math.abs(frequencyOf(steady, outputRate) - 440) < 1);
    const peak = steady.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assert.ok(Math.abs(peak - 0.5) < 0.005);
    assert.ok(largestStep(steady) < ownStep(440, outputRate) * 1.05);
    assert.equal(playout.report().underruns, 0);
  });
}

test("stereo stays stereo, and mono goes to every loudspeaker", () => {
  const stereo = new Playout(24_000, 2, 24_000);
  stereo.push(Float32Array.from({ length: 4800 }, (_, at) => (at % 2 ? -0.25 : 0.5)));
  const [left, right] = run(stereo, 0.05, undefined, 2);
  assert.ok(Math.abs(left.at(-1) - 0.5) < 1e-3 && Math.abs(right.at(-1) + 0.25) < 1e-3);
  const mono = new Playout(24_000, 1, 24_000);
  mono.push(new Float32Array(2400).fill(0.5));
  const [one, other] = run(mono, 0.05, undefined, 2);
  assert.deepEqual(one, other);
});

test("when nothing comes it falls silent without a click, raises its target and goes on", () => {
  const playout = new Playout(24_000, 1, 24_000);
  const pause = { from: 1, to: 1.3 };
  const [sound] = run(
    playout,
    3,
    sender(playout, {
      late: (packet) => (packet / 50 > pause.from && packet / 50 < pause.to ? pause.to - packet / 50 : 0),
    }),
  );
  const { underruns, concealed, target, playing } = playout.report();
  assert.equal(underruns, 1);
  assert.ok(concealed > 0.1 * 24_000 && concealed < 0.4 * 24_000);
  assert.ok(target > 60);
  assert.equal(playing, true);
  assert.ok(largestStep(sound) < ownStep(440, 24_000) + SPREAD_STEP);
});

test("the target shrinks again when the network is good", () => {
  const playout = new Playout(24_000, 1, 24_000);
  run(playout, 60, sender(playout, { late: (packet) => (packet === 50 ? 0.2 : 0) }));
  const { underruns, target } = playout.report();
  assert.equal(underruns, 1);
  assert.equal(target, 60);
});

test("more than the delay allows is thrown away, the oldest first, without a click", () => {
  const playout = new Playout(24_000, 1, 24_000);
  const send = sender(playout);
  send(1);
  const { dropped, buffered } = playout.report();
  assert.ok(dropped > 0 && buffered <= (0.06 + 0.25) * 24_000);
  const [sound] = run(playout, 1, (time) => send(1 + time));
  assert.ok(largestStep(sound) < ownStep(440, 24_000) + SPREAD_STEP);
});

test("a backlog of the beginning is thrown away, one of later is made up for", () => {
  const playout = new Playout(24_000, 1, 24_000);
  const send = sender(playout, { late: (packet) => (packet < 10 ? 0.2 - packet / 50 : packet === 100 ? 0.2 : 0) });
  run(playout, 0.5, send);
  const { dropped, buffered } = playout.report();
  assert.ok(dropped > 0 && buffered <= (0.06 + 0.04) * 24_000);
  run(playout, 10, (time) => send(0.5 + time));
  assert.equal(playout.report().dropped, dropped);
});

test("a burst of more than the ring holds keeps the newest", () => {
  const playout = new Playout(24_000, 1, 24_000);
  playout.push(Float32Array.from({ length: 240_000 }, (_, at) => at / 240_000));
  const [sound] = run(playout, 0.05);
  assert.ok(sound.at(-1) > 0.99);
  assert.equal(playout.report().received, 240_000);
});

for (const ppm of [-500, 500]) {
  test(`a clock that is ${ppm} ppm off is followed`, () => {
    const playout = new Playout(24_000, 1, 48_000);
    run(playout, 120, sender(playout, { speed: 1 + ppm / 1e6 }));
    const { underruns, dropped, buffered, rate } = playout.report();
    assert.equal(underruns, 0);
    assert.equal(dropped, 0);
    assert.ok(Math.abs(rate - 1) < 0.003);
    assert.ok(buffered > 0.03 * 24_000 && buffered < 0.1 * 24_000);
  });
}

test("jitter of 40 ms is borne", () => {
  const playout = new Playout(24_000, 1, 24_000);
  let seed = 1;
  // Packets keep their order, as on a connection.
  let latest = 0;
  const late = (packet) => {
    seed = (seed * 48_271) % 2_147_483_647;
    latest = Math.max(latest, packet / 50 + (seed / 2_147_483_647) * 0.04);
    return latest - packet / 50;
  };
  const delays = new Map();
  run(
    playout,
    30,
    sender(playout, { late: (packet) => delays.get(packet) ?? delays.set(packet, late(packet)).get(packet) }),
  );
  const { underruns, dropped } = playout.report();
  assert.ok(underruns <= 1);
  assert.equal(dropped, 0);
});

test("the loudness is that since the last report", () => {
  const playout = new Playout(24_000, 1, 24_000);
  const send = sender(playout, { amplitude: 0.5 });
  for (let block = 0; block < 200; block++) {
    send((block * BLOCK) / 24_000);
    playout.pull([new Float32Array(BLOCK)]);
  }
  playout.report();
  for (let block = 200; block < 400; block++) {
    send((block * BLOCK) / 24_000);
    playout.pull([new Float32Array(BLOCK)]);
  }
  const { peak, rms } = playout.report();
  assert.ok(Math.abs(peak - 0.5) < 0.01);
  assert.ok(Math.abs(rms - 0.5 / Math.SQRT2) < 0.01);
  assert.deepEqual([playout.report().peak, playout.report().rms], [0, 0]);
});
