// The page's side of an audio channel that runs in a worker, with simulated workers.
import assert from "node:assert/strict";
import test, { afterEach } from "node:test";
import { fakePlatform, until } from "./support/fake-binding.mjs";
import { source } from "./support/source.mjs";

const { Asset, withAudioWorkers } = source;
const counters = { received: 1, taken: 1, buffered: 0, dropped: 0 };
const samples = Float32Array.of(0.5);
const wasm = { name: "channels", module: "the module" };

afterEach(() => {
  delete globalThis.Worker;
});

/** Replaces the global class `Worker`. `start` is called with each new worker. */
function workers(start) {
  const created = [];
  globalThis.Worker = class {
    messages = [];
    terminated = false;
    constructor(url) {
      this.url = url;
      start(this);
      created.push(this);
    }
    postMessage(message) {
      this.messages.push(message);
    }
    terminate() {
      this.terminated = true;
    }
    send(data) {
      this.onmessage({ data });
    }
  };
  return created;
}

const becomesReady = (worker) => queueMicrotask(() => worker.send({ type: "ready" }));

/** The file of the worker. Its embedded copy is at `blob:worker`. */
const file = () =>
  new Asset({
    configured: () => undefined,
    url: () => "worker.js",
    embedded: async () => "blob:worker",
    remedy: () => "",
  });

async function client() {
  const { platform, channels } = fakePlatform();
  const { binding } = await platform.load();
  const { Client } = withAudioWorkers(binding, wasm, file());
  return { client: new Client({ base_url: "b" }), channels };
}

/** Opens a channel in a worker. */
async function open() {
  const created = workers(becomesReady);
  const { client: remote, channels } = await client();
  const opening = remote.open("audio", { computer_id: "c" }, { channels: 2 });
  await until(() => created[0]?.messages.length > 0);
  const [worker] = created;
  worker.send({ type: "state", state: { status: "connecting" }, counters });
  return { audio: await opening, worker, channels };
}

test("the worker receives its task, and the page receives the states and the items", async () => {
  const { audio, worker, channels } = await open();
  assert.deepEqual(worker.messages, [
    {
      type: "open",
      wasm,
      config: { base_url: "b" },
      target: { computer_id: "c" },
      options: { channels: 2 },
    },
  ]);
  assert.equal(channels.length, 0);
  assert.deepEqual([audio.state(), audio.counters()], [{ status: "connecting" }, counters]);

  const change = audio.nextState();
  worker.send({ type: "state", state: { status: "open" }, counters: { ...counters, received: 2 } });
  assert.deepEqual(await change, { status: "open" });
  assert.equal(audio.counters().received, 2);

  const items = audio.next();
  assert.deepEqual(worker.messages.at(-1), { type: "next" });
  worker.send({ type: "items", items: [{ type: "samples", samples }], counters });
  assert.deepEqual(await items, [{ type: "samples", samples }]);

  audio.close();
  assert.deepEqual(worker.messages.at(-1), { type: "close" });
  worker.send({ type: "items", items: null, counters });
  assert.equal(worker.terminated, false, "its last state has not arrived yet");
  worker.send({ type: "state", state: { status: "closed", cause: { reason: "normal" } }, counters });
  assert.equal(worker.terminated, true);
  assert.equal((await audio.nextState()).status, "closed");
  assert.equal(await audio.nextState(), null);
  assert.equal(await audio.next(), null);
});

test("an error of the binding in the worker reaches the page", async () => {
  const created = workers(becomesReady);
  const { client: remote } = await client();
  const opening = remote.open("audio", { computer_id: "c" }, {});
  await until(() => created[0]?.messages.length > 0);
  const error = { kind: "encode", message: "no", delivered: "no" };
  created[0].send({ type: "refused", error });
  await assert.rejects(opening, (thrown) => thrown === error);
  assert.equal(created[0].terminated, true);
});

test("a failure of the worker fails the channel", async () => {
  const { audio, worker } = await open();
  const items = audio.next();
  worker.onerror({ message: "unreachable" });
  assert.equal(await items, null);
  const state = { status: "closed", cause: { reason: "failed", message: "unreachable" } };
  assert.deepEqual(await audio.nextState(), state);
  assert.equal(await audio.nextState(), null);
  assert.deepEqual(audio.state(), state);
  assert.equal(worker.terminated, true);
});

test("if the file of the worker cannot be loaded, its embedded copy is started", async () => {
  const blocked = (worker) => queueMicrotask(() => worker.onerror({ preventDefault() {} }));
  const created = workers((worker) => (worker.url === "worker.js" ? blocked(worker) : becomesReady(worker)));
  const { client: remote, channels } = await client();
  const opening = remote.open("audio", { computer_id: "c" }, {});
  await until(() => created[1]?.messages.length > 0);
  assert.deepEqual(
    created.map(({ url, terminated }) => [url, terminated]),
    [
      ["worker.js", true],
      ["blob:worker", false],
    ],
  );
  created[1].send({ type: "state", state: { status: "connecting" }, counters });
  assert.deepEqual((await opening).state(), { status: "connecting" });
  assert.equal(channels.length, 0);
});

for (const [condition, start] of Object.entries({
  "if a worker cannot be created": () => {
    throw new Error("SecurityError");
  },
  "if the policy blocks workers": (worker) => queueMicrotask(() => worker.onerror({ preventDefault() {} })),
  "if the module cannot be sent to a worker": (worker) => {
    worker.postMessage = () => {
      throw new Error("DataCloneError");
    };
    becomesReady(worker);
  },
})) {
  test(`the channel runs in the main thread ${condition}`, async () => {
    const created = workers(start);
    const { client: remote, channels } = await client();
    assert.equal(await remote.open("audio", { computer_id: "c" }, {}), channels[0]);
    assert.ok(created.every(({ terminated }) => terminated));
  });
}
