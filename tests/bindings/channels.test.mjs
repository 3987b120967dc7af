// Plays the transcripts of tests/vectors/channels through every binding, over real sockets and in real time.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startSubjects } from "./subjects.mjs";
import { play } from "./transcript.mjs";
import { canonical, readVectors } from "./vectors.mjs";

let subjects;
const counts = {};
before(async () => (subjects = await startSubjects()));
after(async () => {
  for (const subject of Object.values(subjects ?? {})) await subject.close();
});

describe("channels", { concurrency: 12 }, () => {
  for (const [index, { file, vector }] of readVectors("channels").entries()) {
    if (vector.virtual) continue;
    test(`${file}: ${vector.name}`, { timeout: 120_000 }, async () => {
      const names = vector.native ? ["native"] : Object.keys(subjects);
      const through = async (name) => {
        try {
          return [name, await play(subjects[name], index, vector)];
        } catch (error) {
          error.message = `through ${name}: ${error.message}`;
          throw error;
        }
      };
      const seen = await Promise.all(names.map(through));
      const [[, first], ...others] = seen;
      for (const [name, other] of others) assert.equal(other, first, `through ${name}, not as through ${names[0]}`);
      for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
    });
  }
});

test("every vector was run, or states a reason to skip it, and the page used workers for audio", () => {
  const vectors = readVectors("channels").map(({ vector }) => vector);
  const [alone, native] = ["virtual", "native"].map((field) => vectors.filter((vector) => vector[field]).length);
  const marked = `${native} need the addon, ${alone} the core`;
  console.log(`  channels: ${vectors.length} vectors; ${canonical(counts)}; ${marked}`);
  const all = vectors.length - alone;
  assert.deepEqual(counts, { native: all, wasm: all - native, page: all - native });
  // There can be fewer workers than audio channels: on a slow machine, the page replaces a worker that starts too late.
  assert.ok(subjects.page.workers() > 0, "the page had no worker");
});
