import assert from "node:assert/strict";
import test from "node:test";
import { source } from "./support/source.mjs";

const { nativeBinding } = source;

const record = { kind: "encode", message: "m", delivered: "no", field: "f" };
const refuse = () => {
  throw new Error(JSON.stringify(record));
};

/** An addon with a simulated client. */
const binding = (raw) =>
  nativeBinding({
    version: () => "1.2.3",
    Client: class {
      constructor(config) {
        Object.assign(this, raw, { config: JSON.parse(config) });
      }
    },
    wavHeader: () => new Uint8Array(44),
    wavEncode: (samples) => new Uint8Array(samples.length * 2),
    level: (samples) => Float32Array.of(samples[0], samples[0]),
  });

test("parameters and results are passed as JSON, and bytes as bytes", async () => {
  const calls = [];
  const bytes = Uint8Array.of(1);
  const { client, version, kind } = binding({
    call(...args) {
      calls.push(args);
      const nextUploadProgress = async () => ({ loaded: 1, total: 2 });
      return { outcome: async () => ({ ok: true, json: '{"width":1}', bytes }), nextUploadProgress, cancel() {} };
    },
  });
  assert.deepEqual([kind, version()], ["native", "1.2.3"]);
  const content = { name: "n", content_type: "text/plain", data: bytes };
  const { outcome, nextUploadProgress } = client({}).call("o", { a: 1 }, { timeout: 2 }, content);
  assert.deepEqual(await outcome, { ok: true, value: { width: 1 }, bytes });
  assert.deepEqual(await nextUploadProgress(), { loaded: 1, total: 2 });
  client({}).call("o", {}, {}, { ...content, watched: true });
  const passed = (watched) => ({ name: "n", contentType: "text/plain", data: bytes, watched });
  assert.deepEqual(calls, [
    ["o", '{"a":1}', '{"timeout":2}', passed(false)],
    ["o", "{}", "{}", passed(true)],
  ]);
});

test("a failure is an error record, as an exception and as an outcome", async () => {
  const { client } = binding({
    call: () => ({ outcome: async () => ({ ok: false, json: JSON.stringify(record) }), cancel() {} }),
    terminal: refuse,
    events: () => ({ subscribe: refuse }),
  });
  assert.deepEqual(await client({}).call("o", {}, {}).outcome, { ok: false, error: record });
  assert.throws(() => client({}).terminal({}, {}), record);
  assert.throws(() => client({}).events({}, {}).subscribe([]), record);
  const broken = binding({
    terminal: () => {
      throw new Error("no JSON");
    },
  });
  assert.throws(() => broken.client({}).terminal({}, {}), { name: "BindingError", message: /no JSON/ });
});

test("each item of a batch gets its part of the text or the samples", async () => {
  const batches = [
    { json: '[{"type":"output","length":2},{"type":"reconnected"},{"type":"output","length":1}]', text: "abc" },
    {
      json: '[{"type":"started","sample_rate":1,"channels":1},{"type":"samples","length":2},{"type":"samples","length":1}]',
      samples: Float32Array.of(1, 2, 3),
    },
    { json: '[{"type":"exit","code":0}]' },
    null,
  ];
  const { client } = binding({ terminal: () => ({ next: async () => batches.shift() }) });
  const terminal = client({}).terminal({}, {});
  assert.deepEqual(await terminal.next(), [
    { type: "output", data: "ab" },
    { type: "reconnected" },
    { type: "output", data: "c" },
  ]);
  const [, first, second] = await terminal.next();
  assert.deepEqual([first.samples, second.samples], [Float32Array.of(1, 2), Float32Array.of(3)]);
  // Each one can be transferred separately.
  assert.notEqual(first.samples.buffer, second.samples.buffer);
  assert.deepEqual(await terminal.next(), [{ type: "exit", code: 0 }]);
  assert.equal(await terminal.next(), null);
});
