import assert from "node:assert/strict";
import test from "node:test";
import { source } from "./support/source.mjs";

const { createRing, RingReader, RingWriter } = source;

function ends() {
  const memory = createRing();
  return { writer: new RingWriter(memory), reader: new RingReader(memory) };
}

const chunk = (from, length, sample_rate = 24_000, channels = 1, discontinuity = false) => ({
  samples: Float32Array.from({ length }, (_, at) => from + at),
  sample_rate,
  channels,
  discontinuity,
});

function drained(reader) {
  const chunks = [];
  reader.drain(({ samples, ...format }) => chunks.push({ samples: samples.slice(), ...format }));
  return chunks;
}

test("chunks are read as they were written, with their formats", () => {
  const { writer, reader } = ends();
  assert.deepEqual(drained(reader), []);
  writer.write(chunk(0, 480));
  writer.write(chunk(480, 960, 48_000, 2, true));
  assert.deepEqual(drained(reader), [chunk(0, 480), chunk(480, 960, 48_000, 2, true)]);
  assert.deepEqual(drained(reader), []);
});

test("chunks stay intact when the ring wraps around", () => {
  const { writer, reader } = ends();
  let seed = 1;
  for (let round = 0, from = 0; round < 20_000; round++) {
    seed = (seed * 48_271) % 2_147_483_647;
    const length = seed % 3000;
    const sent = chunk(from, length);
    writer.write(sent);
    if (round % 3 === 0) {
      writer.write(sent);
      assert.deepEqual(drained(reader).at(-1), sent);
    } else assert.deepEqual(drained(reader), [sent]);
    from = (from + length) % 10_000_000;
  }
  assert.equal(reader.takeLost(), 0);
});

test("a chunk that does not fit is lost and counted, and the others are kept", () => {
  const { writer, reader } = ends();
  for (let at = 0; at < 100; at++) writer.write(chunk(at, 4000, 48_000, 2));
  const kept = drained(reader);
  assert.ok(kept.length > 20 && kept.length < 100);
  assert.deepEqual(
    kept,
    Array.from(kept, (_, at) => chunk(at, 4000, 48_000, 2)),
  );
  assert.equal(reader.takeLost(), (100 - kept.length) * 2000);
  assert.equal(reader.takeLost(), 0);
  writer.write(chunk(7, 10));
  assert.deepEqual(drained(reader), [chunk(7, 10)]);
});
