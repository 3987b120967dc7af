import assert from "node:assert/strict";
import test from "node:test";
import { fakePlatform, until } from "./support/fake-binding.mjs";
import { source } from "./support/source.mjs";

const { OrgoClient } = source;

async function open(types = ["idle"]) {
  const { platform, channels } = fakePlatform();
  const opened = new OrgoClient(platform).computer("c").events(types);
  const channel = await until(() => channels[0]);
  channel.open();
  return { channel, events: await opened };
}

const event = (type, data = {}) => ({ type: "events", events: [{ type, timestamp: "2026-01-01T00:00:00.000Z", data }] });
const copied = (content) => event("clipboard", { content });

test("a loop receives every event, and gaps are reported", async () => {
  const { channel, events } = await open(["clipboard"]);
  assert.deepEqual(channel.options, { types: ["clipboard"] });
  const gaps = [];
  events.on("gap", (missed) => gaps.push(missed));
  channel.put(copied("a"), { type: "gap" }, copied("b"), { type: "gap", missed: 3 });
  channel.end();
  const seen = [];
  for await (const { data } of events) seen.push(data.content);
  assert.deepEqual(seen, ["a", "b"]);
  assert.deepEqual(gaps, [undefined, 3]);
});

test("waitFor returns earlier and later events, and none twice", async () => {
  const { channel, events } = await open();
  channel.put(event("window_focus"), copied("old"));
  assert.equal((await events.waitFor("clipboard")).data.content, "old");
  const next = events.waitFor("clipboard");
  channel.put(copied("new"));
  assert.equal((await next).data.content, "new");
  assert.equal((await events.waitFor("window_focus")).type, "window_focus");
});

test("waitFor filters events", async () => {
  const { channel, events } = await open();
  const waiting = events.waitFor("clipboard", { where: ({ data }) => data.content === "b" });
  channel.put(copied("a"), copied("b"));
  assert.equal((await waiting).data.content, "b");
  assert.equal((await events.waitFor("clipboard")).data.content, "a");
  const failing = events.waitFor("clipboard", {
    where: () => {
      throw new Error("mine");
    },
  });
  channel.put(copied("c"));
  await assert.rejects(failing, { message: "mine" });
});

test("an event that waitFor returns is also delivered to loops and other waiters", async () => {
  const { channel, events } = await open();
  const both = [events.waitFor("clipboard"), events.waitFor("clipboard")];
  channel.put(copied("a"));
  for (const { data } of await Promise.all(both)) assert.equal(data.content, "a");
  channel.end();
  const seen = [];
  for await (const { data } of events) seen.push(data.content);
  assert.deepEqual(seen, ["a"]);
});

test("waitFor has a time limit, can be aborted, and ends with the channel", async () => {
  const { channel, events } = await open();
  await assert.rejects(events.waitFor("idle", { timeout: 5 }), { name: "TimeoutError", limit: 5 });
  const controller = new AbortController();
  const given = events.waitFor("idle", { signal: controller.signal });
  controller.abort("enough");
  await assert.rejects(given, { name: "AbortError", reason: "enough" });
  await assert.rejects(events.waitFor("idle", { signal: AbortSignal.abort() }), { name: "AbortError" });
  await assert.rejects(events.waitFor("idle", { wher: 1 }), { field: "wher" });
  const last = events.waitFor("idle");
  channel.end("going_away");
  await assert.rejects(last, { name: "ChannelClosedError" });
});

test("an event after an aborted wait is not lost", async () => {
  const { channel, events } = await open();
  await assert.rejects(events.waitFor("idle", { timeout: 5 }));
  channel.put(event("idle"));
  assert.equal((await events.waitFor("idle")).type, "idle");
});

test("the buffer is bounded without a loop, and every event is counted", async () => {
  const { channel, events } = await open();
  const last = events.waitFor("idle");
  const count = 3000;
  channel.figures = { received: count + 1, taken: count + 1, buffered: 0, dropped: 0 };
  channel.put(...Array.from({ length: count }, (_, index) => copied(String(index))), event("idle"));
  await last;
  const { received, taken, buffered, dropped } = events.counters;
  assert.deepEqual([taken, buffered, dropped], [0, 1024, count + 1 - 1024]);
  assert.equal(received, taken + buffered + dropped);
  const { value } = await events[Symbol.asyncIterator]().next();
  assert.equal(value.data.content, String(count + 1 - 1024));
  assert.equal(events.counters.taken, 1);
});

test("types are subscribed and unsubscribed", async () => {
  const { channel, events } = await open([]);
  events.subscribe(["idle"]);
  events.unsubscribe(["idle"]);
  assert.deepEqual(channel.sent, [{ subscribe: ["idle"] }, { unsubscribe: ["idle"] }]);
  assert.throws(() => events.subscribe("idle"), { field: "types" });
});
