// Tests audio in Node with the native addon: all samples of hundreds of concurrent streams arrive once and in order.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { after, before, test } from "node:test";
import { startAudioServer } from "../support/audio-server.mjs";

process.env.ORGO_BINDING = "native";
const { AudioStream, Channel, Orgo, Terminal } = await import("orgo-sdk");

const FRAMES = 480;
const STREAMS = 300;
/** Returns consecutive sample values, which reveal lost, duplicated and reordered samples. */
const counter = (_, sample) => sample % 32_768;

let server, computer;
before(async () => {
  // The clock of a `patient` sender stops while it cannot send: a slow machine cannot send hundreds of streams in real time.
  server = await startAudioServer({ sample: counter, patient: true });
  computer = Orgo.connect({ version: 1, computer_id: "c", password: "p", realtime_url: server.url });
});
after(() => server?.close());

/** Reads at least `wanted` samples, and checks that their values are consecutive. */
async function readSamples(audio, wanted) {
  let [count, chunks, last] = [0, 0, undefined];
  for await (const { samples, sample_rate, channels } of audio) {
    assert.deepEqual([sample_rate, channels], [24_000, 1]);
    for (const sample of samples) {
      const value = sample * 32_768;
      if (last !== undefined) assert.equal(value, (last + 1) % 32_768);
      last = value;
    }
    count += samples.length;
    chunks += 1;
    if (count >= wanted) break;
  }
  return { count, chunks };
}

test("samples arrive once and in order, and the statistics are complete", async () => {
  const audio = await computer.audio();
  await readSamples(audio, 100 * FRAMES);
  const { received, delivered, buffered, dropped } = audio.stats;
  assert.equal(received, delivered + buffered + dropped);
  assert.equal(dropped, 0);
  await audio.close();
});

test("a channel is an instance of its class and of no other one", async () => {
  const audio = await computer.audio();
  assert.deepEqual(
    [AudioStream, Channel, Terminal].map((type) => audio instanceof type),
    [true, true, false],
  );
  await audio.close();
});

test("a longer batch time results in fewer and larger chunks", async () => {
  const [usual, long] = await Promise.all([computer.audio(), computer.audio({ batch: 500 })]);
  const [few, many] = await Promise.all([readSamples(long, 150 * FRAMES), readSamples(usual, 150 * FRAMES)]);
  assert.ok(few.chunks < many.chunks, `${few.chunks} chunks instead of fewer than ${many.chunks}`);
  await Promise.all([usual.close(), long.close()]);
});

test("raw PCM can be piped into a program, without other bytes", async () => {
  const audio = await computer.audio();
  const program = spawn("cat");
  const chunks = [];
  program.stdout.on("data", (chunk) => chunks.push(chunk));
  await pipeline(audio.pcm({ duration: 1 }), program.stdin);
  await once(program, "close");
  const bytes = Buffer.concat(chunks);
  assert.equal(bytes.length, 48_000);
  const values = Array.from({ length: 24_000 }, (_, at) => bytes.readInt16LE(at * 2));
  assert.ok(values.every((value, at) => at === 0 || value === (values[at - 1] + 1) % 32_768));
  await audio.close();
});

test("raw PCM is also a Node stream that can be piped and destroyed", async () => {
  const audio = await computer.audio();
  const program = spawn("cat");
  const chunks = [];
  program.stdout.on("data", (chunk) => chunks.push(chunk));
  audio.pcmReadable({ duration: 0.5 }).pipe(program.stdin);
  await once(program, "close");
  assert.equal(Buffer.concat(chunks).length, 24_000);
  const endless = audio.pcmReadable();
  await once(endless, "data");
  endless.destroy();
  await once(endless, "close");
  await readSamples(audio, 10 * FRAMES);
  const { received, delivered, buffered, dropped } = audio.stats;
  assert.equal(received, delivered + buffered + dropped);
  await audio.close();
});

test("the level matches the samples", async () => {
  const audio = await computer.audio();
  for await (const chunk of audio) {
    const { peak, rms } = audio.level(chunk);
    assert.equal(peak, Math.max(...chunk.samples.map(Math.abs)));
    assert.ok(rms > 0 && rms <= peak);
    break;
  }
  await audio.close();
});

test(`${STREAMS} streams play at the same time`, { timeout: 120_000 }, async () => {
  const streams = await Promise.all(Array.from({ length: STREAMS }, () => computer.audio({ batch: 100 })));
  await Promise.all(
    streams.map(async (audio) => {
      await readSamples(audio, 100 * FRAMES);
      const { received, delivered, buffered, dropped } = audio.stats;
      assert.equal(received, delivered + buffered + dropped);
      await audio.close();
    }),
  );
});
