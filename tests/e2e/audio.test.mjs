// Sound in Node through the native addon: every sample arrives once and in order, of hundreds of streams at once.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { after, before, test } from "node:test";
import { startAudioServer } from "../support/audio-server.mjs";

process.env.ORGO_BINDING = "native";
const { Orgo } = await import("orgo-sdk");

const FRAMES = 480;
const HUNDREDS = 300;
/** Counts, so that a sample that is lost, doubled or out of place shows. */
const counting = (_, sample) => sample % 32_768;

let server, computer;
before(async () => {
  // Hundreds of streams by the clock are more than a slow machine can send.
  server = await startAudioServer({ sample: counting, patient: true });
  computer = Orgo.connect({ version: 1, computer_id: "c", password: "p", realtime_url: server.url });
});
after(() => server?.close());

/** The counts of so many samples, which have to follow each other. */
async function count(audio, wanted) {
  let [seen, pieces, last] = [0, 0, undefined];
  for await (const { samples, sample_rate, channels } of audio) {
    assert.deepEqual([sample_rate, channels], [24_000, 1]);
    for (const sample of samples) {
      const value = sample * 32_768;
      if (last !== undefined) assert.equal(value, (last + 1) % 32_768);
      last = value;
    }
    seen += samples.length;
    pieces += 1;
    if (seen >= wanted) break;
  }
  return { seen, pieces };
}

test("samples arrive once and in order, and are all accounted for", async () => {
  const audio = await computer.audio();
  await count(audio, 100 * FRAMES);
  const { received, delivered, buffered, dropped } = audio.stats;
  assert.equal(received, delivered + buffered + dropped);
  assert.equal(dropped, 0);
  await audio.close();
});

test("a longer time to gather makes fewer and larger pieces", async () => {
  const [usual, long] = await Promise.all([computer.audio(), computer.audio({ batch: 500 })]);
  const [few, many] = await Promise.all([count(long, 150 * FRAMES), count(usual, 150 * FRAMES)]);
  assert.ok(few.pieces < many.pieces, `${few.pieces} pieces where ${many.pieces} are usual`);
  await Promise.all([usual.close(), long.close()]);
});

test("raw PCM goes into another program, and nobody else's bytes", async () => {
  const audio = await computer.audio();
  const program = spawn("cat");
  const pieces = [];
  program.stdout.on("data", (piece) => pieces.push(piece));
  await pipeline(audio.pcm({ duration: 1 }), program.stdin);
  await once(program, "close");
  const bytes = Buffer.concat(pieces);
  assert.equal(bytes.length, 48_000);
  const values = Array.from({ length: 24_000 }, (_, at) => bytes.readInt16LE(at * 2));
  assert.ok(values.every((value, at) => at === 0 || value === (values[at - 1] + 1) % 32_768));
  await audio.close();
});

test("raw PCM is a stream of Node's kind too, which pipes and can be destroyed", async () => {
  const audio = await computer.audio();
  const program = spawn("cat");
  const pieces = [];
  program.stdout.on("data", (piece) => pieces.push(piece));
  audio.pcmReadable({ duration: 0.5 }).pipe(program.stdin);
  await once(program, "close");
  assert.equal(Buffer.concat(pieces).length, 24_000);
  const endless = audio.pcmReadable();
  await once(endless, "data");
  endless.destroy();
  await once(endless, "close");
  await count(audio, 10 * FRAMES);
  const { received, delivered, buffered, dropped } = audio.stats;
  assert.equal(received, delivered + buffered + dropped);
  await audio.close();
});

test("the level is that of the samples", async () => {
  const audio = await computer.audio();
  for await (const chunk of audio) {
    const { peak, rms } = audio.level(chunk);
    assert.equal(peak, Math.max(...chunk.samples.map(Math.abs)));
    assert.ok(rms > 0 && rms <= peak);
    break;
  }
  await audio.close();
});

test(`${HUNDREDS} streams play side by side`, { timeout: 120_000 }, async () => {
  const streams = await Promise.all(Array.from({ length: HUNDREDS }, () => computer.audio({ batch: 100 })));
  await Promise.all(
    streams.map(async (audio) => {
      await count(audio, 100 * FRAMES);
      const { received, delivered, buffered, dropped } = audio.stats;
      assert.equal(received, delivered + buffered + dropped);
      await audio.close();
    }),
  );
});
