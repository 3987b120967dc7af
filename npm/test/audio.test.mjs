import assert from "node:assert/strict";
import test from "node:test";
import { fakePlatform, until } from "./support/fake-binding.mjs";
import { source } from "./support/source.mjs";

const { OrgoClient } = source;

async function open(params) {
  const { platform, channels } = fakePlatform();
  const opened = new OrgoClient(platform).computer("c").audio(params);
  const channel = await until(() => channels[0]);
  channel.open();
  return { channel, audio: await opened, platform };
}

const started = (sample_rate = 10, channels = 1) => ({ type: "started", sample_rate, channels });
const samples = (...values) => ({ type: "samples", samples: Float32Array.from(values) });

async function text(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

test("each chunk has its format", async () => {
  const { channel, audio } = await open({ sample_rate: 48_000, channels: 2 });
  assert.deepEqual(channel.options, { sample_rate: 48_000, channels: 2 });
  const formats = [];
  audio.on("started", (format) => formats.push(format));
  channel.put(started(48_000, 2), samples(0, 1), started(24_000), samples(0.5));
  channel.end();
  const seen = [];
  for await (const chunk of audio) seen.push(chunk);
  assert.deepEqual(seen, [
    { samples: Float32Array.of(0, 1), sample_rate: 48_000, channels: 2 },
    { samples: Float32Array.of(0.5), sample_rate: 24_000, channels: 1 },
  ]);
  assert.deepEqual(formats, [
    { sample_rate: 48_000, channels: 2 },
    { sample_rate: 24_000, channels: 1 },
  ]);
});

test("every sample is counted", async () => {
  const { channel, audio } = await open();
  channel.figures = { received: 10, taken: 6, buffered: 1, dropped: 3 };
  channel.put(started(10, 2), samples(1, 2, 3, 4), samples(5, 6, 7, 8, 9, 10, 11, 12));
  await audio[Symbol.asyncIterator]().next();
  assert.deepEqual(audio.stats, { received: 10, delivered: 2, buffered: 5, dropped: 3 });
});

test("a recording consists of a header and the samples", async () => {
  const { channel, audio } = await open();
  channel.put(started(10, 1), samples(1, 2), samples(3));
  channel.end();
  assert.deepEqual(await text(audio.record()), Buffer.concat([Buffer.from("wav 10 1\n"), Buffer.of(1, 2, 3)]));
});

test("a recording ends after its duration and leaves the channel open", async () => {
  const { channel, audio } = await open();
  channel.put(started(10, 2), samples(1, 2), samples(3, 4, 5, 6), samples(7, 8));
  assert.deepEqual(
    await text(audio.record({ duration: 0.2 })),
    Buffer.concat([Buffer.from("wav 10 2\n"), Buffer.of(1, 2, 3, 4)]),
  );
  assert.equal(channel.closed, false);
  assert.throws(() => audio.record({ duration: 0 }), { field: "duration" });
});

test("a recording ends at a change of the format, and the next one continues there", async () => {
  const { channel, audio } = await open();
  channel.put(started(10, 1), samples(1), started(20, 1), samples(2));
  channel.end();
  assert.deepEqual(await text(audio.record()), Buffer.concat([Buffer.from("wav 10 1\n"), Buffer.of(1)]));
  assert.deepEqual(await text(audio.record()), Buffer.concat([Buffer.from("wav 20 1\n"), Buffer.of(2)]));
});

test("raw PCM contains only the samples, and ends at a change of the format", async () => {
  const { channel, audio } = await open();
  channel.put(started(10, 1), samples(1, 2), samples(3), started(10, 2), samples(4, 5));
  channel.end();
  assert.deepEqual(await text(audio.pcm()), Buffer.of(1, 2, 3));
  assert.deepEqual(await text(audio.pcm({ duration: 0.1 })), Buffer.of(4, 5));
});

test("the level is computed by the binding", async () => {
  const { audio } = await open();
  assert.deepEqual(audio.level({ samples: Float32Array.of(0.25, 0.5), sample_rate: 10, channels: 1 }), {
    peak: 0.5,
    rms: 2,
  });
});

test("the batch duration is passed to the binding", async () => {
  const { channel } = await open({ sample_rate: 48_000, batch: 100 });
  assert.deepEqual(channel.options, { sample_rate: 48_000, batch_ms: 100 });
  const computer = new OrgoClient(fakePlatform().platform).computer("c");
  await assert.rejects(computer.audio({ batch: 1001 }), { field: "batch" });
});

test("playback outside a page is rejected", async () => {
  const { audio, platform } = await open({ sample_rate: 48_000 });
  await assert.rejects(audio.play(), { name: "BindingError" });
  platform.play = async (...args) => args;
  assert.deepEqual(await audio.play({ volume: 0.5 }), [audio, { volume: 0.5 }, 48_000]);
  await assert.rejects(audio.play({ volume: -1 }), { field: "volume" });
});
