import assert from "node:assert/strict";
import test from "node:test";
import { deferred, fakePlatform, until } from "./support/fake-binding.mjs";
import { source } from "./support/source.mjs";

const { ConnectedComputer, OrgoClient } = source;

/** Starts to open a channel of a kind. The test then opens or closes the channel. */
async function opening(kind = "terminal", ...args) {
  const { platform, channels } = fakePlatform();
  const opened = new OrgoClient(platform, { timeout: 10_000 }).computer("c")[kind](...args);
  opened.catch(() => {});
  return { opened, channel: await until(() => channels[0]) };
}

async function open(kind, ...args) {
  const { opened, channel } = await opening(kind, ...args);
  channel.open();
  return { channel, stream: await opened };
}

const output = (data) => ({ type: "output", data });

test("opening resolves when the server has accepted the channel", async () => {
  const { opened, channel } = await opening("terminal", { cols: 120, rows: 40 });
  let there = false;
  void opened.then(() => (there = true));
  await new Promise(setImmediate);
  assert.equal(there, false);
  assert.deepEqual(channel.options, { cols: 120, rows: 40 });
  channel.open();
  assert.deepEqual((await opened).state, { status: "open" });
});

test("a refused channel rejects with its cause", async () => {
  const { opened, channel } = await opening();
  channel.end("unauthorized", { code: 4401 });
  await assert.rejects(opened, (error) => {
    assert.equal(error.name, "ChannelClosedError");
    assert.deepEqual(error.cause, { reason: "unauthorized", code: 4401, message: "ended: unauthorized" });
    return true;
  });
});

test("a listener for an event that does not exist is refused", async () => {
  const events = {
    terminal: "state, error, reconnected, exit",
    audio: "state, error, started",
    events: "state, error, gap",
  };
  for (const [kind, names] of Object.entries(events)) {
    const { stream } = await open(kind, ...(kind === "events" ? [["idle"]] : []));
    for (const name of names.split(", ")) stream.on(name, () => {})();
    for (const name of ["data", undefined, Symbol("state")]) {
      const refused = { name: "InvalidParameterError", field: "name", delivered: "no" };
      assert.throws(() => stream.on(name, () => {}), {
        ...refused,
        message: new RegExp(`^${kind}\\.on: .* events are ${names}$`),
      });
    }
    assert.throws(() => stream.on("state"), { name: "InvalidParameterError", field: "listener" });
  }
});

test("opening has a time limit and can be aborted, which closes the channel", async () => {
  const limited = await opening("terminal", {}, { timeout: 10 });
  await assert.rejects(limited.opened, { name: "TimeoutError", limit: 10 });
  assert.equal(limited.channel.closed, true);

  const broken = await opening("terminal", {}, { timeout: 50 });
  broken.channel.enter({
    status: "reconnecting",
    attempt: 1,
    delay: 500,
    cause: { reason: "unreachable", message: "no network" },
  });
  await assert.rejects(broken.opened, {
    name: "TimeoutError",
    message: "computers.terminal: the channel did not open (the last attempt: no network) within 50 ms",
  });

  const controller = new AbortController();
  const given = await opening("terminal", {}, { signal: controller.signal });
  controller.abort("enough");
  await assert.rejects(given.opened, { name: "AbortError", reason: "enough" });
  assert.equal(given.channel.closed, true);
});

test("a refreshed connection provides the password to this channel and to later ones", async () => {
  const { platform, channels } = fakePlatform();
  const connection = { version: 1, computer_id: "c", password: "old" };
  const results = [
    async () => ({ ...connection, password: "new", instance_id: "i" }),
    async () => Promise.reject(new Error("503 from the page's server")),
    async () => ({ ...connection, computer_id: "another" }),
    async () => Promise.reject(Object.create(null)),
  ];
  const connected = new ConnectedComputer(platform, connection, { refresh: () => results.shift()() });
  const opened = connected.terminal({}, { maxRetries: 3 });
  const channel = await until(() => channels[0]);
  assert.deepEqual(channel.target, { computer_id: "c", password: "old", refreshable: true, max_reconnects: 3 });
  channel.open();
  await opened;
  for (let count = 1; count <= 4; count++) {
    channel.ask();
    await until(() => channel.passwords.length === count);
  }
  const fresh = { computer_id: "c", password: "new", instance_id: "i" };
  assert.deepEqual(channel.passwords[0], { target: fresh, problem: undefined });
  assert.equal(channel.passwords[1].problem, "503 from the page's server");
  assert.match(channel.passwords[2].problem, /another computer/);
  assert.match(channel.passwords[3].problem, /has no text/);
  const controller = new AbortController();
  connected.events(["idle"], { signal: controller.signal }).catch(() => {});
  assert.deepEqual((await until(() => channels[1])).target, { ...fresh, refreshable: true });
  // Otherwise, the time limit of the opening keeps the process alive.
  controller.abort();
});

test("with an API key, a channel gets its password by calls, and the address by one call", async () => {
  const error = { kind: "server", message: "computers.vncPassword: 503 busy", delivered: "no", status: 503, request_id: "r" };
  const passwords = ["first", "second"];
  const { platform, calls, channels } = fakePlatform((operation) => {
    if (operation === "computers.get") return { id: "c", fly_instance_id: "i", status: "running" };
    const password = passwords.shift();
    if (password === undefined) throw error;
    return { password };
  });
  const opened = new OrgoClient(platform, { apiKey: "k" }).computer("c").terminal();
  const channel = await until(() => channels[0]);
  assert.deepEqual(channel.target, { computer_id: "c", refreshable: true });
  channel.open();
  await opened;
  for (let count = 1; count <= 3; count++) {
    channel.ask();
    await until(() => channel.passwords.length === count);
  }
  assert.deepEqual(
    calls.map(({ operation }) => operation),
    ["computers.get", ...Array(3).fill("computers.vncPassword")],
  );
  const { delivered: _, ...problem } = error;
  assert.deepEqual(channel.passwords, [
    { target: { computer_id: "c", instance_id: "i", password: "first" }, problem: undefined },
    { target: { computer_id: "c", instance_id: "i", password: "second" }, problem: undefined },
    { target: undefined, problem },
  ]);
});

test("without an API key, a channel requests no password", async () => {
  const { platform, channels } = fakePlatform();
  const opened = new OrgoClient(platform).computer("c").terminal();
  const channel = await until(() => channels[0]);
  assert.deepEqual(channel.target, { computer_id: "c" });
  channel.open();
  await opened;
});

test("the end of a channel aborts the call for its password", async () => {
  let aborted;
  const { platform, channels } = fakePlatform((_operation, _params, { canceled }) => {
    aborted = canceled;
    return new Promise(() => {});
  });
  const computer = new OrgoClient(platform, { apiKey: "k", realtimeUrl: "ws://h/{computer_id}/{channel}" }).computer("c");
  const opened = computer.terminal();
  const channel = await until(() => channels[0]);
  channel.open();
  await opened;
  channel.ask();
  await until(() => aborted !== undefined);
  channel.end();
  await aborted;
});

/** Opens channels of one computer with an API key. The calls for the password wait in `requests` until the test responds. */
async function sharing(count) {
  const requests = [];
  const { platform, channels } = fakePlatform((operation, _params, { canceled }) => {
    if (operation !== "computers.vncPassword") return {};
    return new Promise((resolve, reject) => requests.push({ resolve: (password) => resolve({ password }), reject, canceled }));
  });
  const computer = new OrgoClient(platform, { apiKey: "k", realtimeUrl: "ws://h/{computer_id}/{channel}" }).computer("c");
  const open = async () => {
    const before = channels.length;
    const opened = computer.events([]);
    const channel = await until(() => channels[before]);
    channel.open();
    await opened;
    return channel;
  };
  const opened = [];
  for (let index = 0; index < count; index += 1) opened.push(await open());
  const request = (index) => until(() => requests[index]);
  const password = (channel) => until(() => channel.passwords.at(-1)?.target?.password);
  return { computer, channels: opened, open, requests, request, password };
}

test("channels that open at about the same time share one call for the password", async (t) => {
  let now = 1000;
  t.mock.method(performance, "now", () => now);
  const { channels, open, requests, request, password } = await sharing(3);
  for (const channel of channels) channel.ask();
  (await request(0)).resolve("first");
  for (const channel of channels) assert.equal(await password(channel), "first");

  now += 9_999;
  const fourth = await open();
  fourth.ask();
  assert.equal(await password(fourth), "first");
  assert.equal(requests.length, 1);

  now += 1;
  const fifth = await open();
  fifth.ask();
  (await request(1)).resolve("second");
  assert.equal(await password(fifth), "second");
});

test("a refused password is never reused", async () => {
  const { channels, open, requests, request, password } = await sharing(2);
  const [first, second] = channels;
  first.ask();
  second.ask();
  (await request(0)).resolve("old");
  assert.equal(await password(first), "old");
  first.ask();
  second.ask();
  await request(2);
  for (const { resolve } of requests.slice(1)) resolve("new");
  await until(() => channels.every(({ passwords }) => passwords.length === 2));
  for (const channel of channels) assert.equal(channel.passwords[1].target.password, "new");
  const third = await open();
  third.ask();
  assert.equal(await password(third), "new");
  assert.equal(requests.length, 3);
});

test("a failed call for the password is not reused", async () => {
  const { channels, open, requests, request, password } = await sharing(2);
  for (const channel of channels) channel.ask();
  (await request(0)).reject({ kind: "server", message: "503 busy", delivered: "no", status: 503 });
  for (const channel of channels) await until(() => channel.passwords[0]?.problem);
  const third = await open();
  third.ask();
  (await request(1)).resolve("password");
  assert.equal(await password(third), "password");
  assert.equal(requests.length, 2);
});

test("a change of the power state ends the reuse of a password", async () => {
  const { computer, channels, open, request, password } = await sharing(1);
  channels[0].ask();
  (await request(0)).resolve("0");
  assert.equal(await password(channels[0]), "0");
  for (const [index, change] of ["stop", "start", "restart"].entries()) {
    await computer[change]();
    const channel = await open();
    channel.ask();
    (await request(index + 1)).resolve(change);
    assert.equal(await password(channel), change);
  }
});

test("the end of a channel does not abort a call for which another channel waits", async () => {
  const { channels, request, password } = await sharing(2);
  const [first, second] = channels;
  first.ask();
  second.ask();
  const { resolve, canceled } = await request(0);
  let aborted = false;
  void canceled.then(() => (aborted = true));
  first.end();
  await new Promise(setImmediate);
  assert.equal(aborted, false);
  resolve("password");
  assert.equal(await password(second), "password");
});

test("invalid parameters open no channel", async () => {
  const { platform, channels } = fakePlatform();
  const computer = new OrgoClient(platform).computer("c");
  await assert.rejects(computer.terminal({ columns: 80 }), { field: "columns" });
  await assert.rejects(computer.events("idle"), { field: "types" });
  for (const options of [{ timeuot: 1 }, { maxRetries: -1 }]) {
    await assert.rejects(computer.terminal({}, options), { name: "InvalidParameterError" });
  }
  await assert.rejects(computer.terminal({}, { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(channels.length, 0);
});

test("a listener that is not a function is refused", async () => {
  const { stream } = await open();
  for (const wrong of [undefined, null, "x", {}]) {
    assert.throws(() => stream.on("state", wrong), { name: "InvalidParameterError", field: "listener" });
  }
});

test("output is delivered in order, and a loop ends when the shell exits", async () => {
  const { channel, stream } = await open();
  channel.put(output("a"), output("b"));
  channel.put(output("c"), { type: "exit", code: 7 });
  channel.end("exit");
  let text = "";
  for await (const piece of stream) text += piece;
  assert.equal(text, "abc");
  assert.equal(await stream.exited, 7);
});

test("output can be read after the exit of the shell, and the exit code needs no reader", async () => {
  const { channel, stream } = await open();
  channel.put(output("late"), { type: "exit", code: 0 });
  channel.end("exit");
  assert.equal(await stream.exited, 0);
  const { value } = await stream[Symbol.asyncIterator]().next();
  assert.equal(value, "late");
});

test("the binding is read only on demand", async () => {
  const { channel, stream } = await open();
  const iterator = stream[Symbol.asyncIterator]();
  channel.put(output("1"));
  assert.equal(channel.pulls, 0);
  await iterator.next();
  channel.put(output("2"));
  await new Promise(setImmediate);
  assert.equal(channel.pulls, 1);

  const { channel: other, stream: terminal } = await open();
  terminal.readable;
  other.put(output("1"));
  await new Promise(setImmediate);
  assert.equal(other.pulls, 0);
});

test("leaving a loop leaves the channel open, and the next loop continues", async () => {
  const { channel, stream } = await open();
  channel.put(output("prompt$ "));
  for await (const piece of stream) {
    assert.equal(piece, "prompt$ ");
    break;
  }
  assert.equal(channel.closed, false);
  channel.put(output("42"));
  for await (const piece of stream) {
    assert.equal(piece, "42");
    break;
  }
});

test("a failed channel ends its loop with the cause, after the remaining items", async () => {
  const { channel, stream } = await open();
  channel.put(output("last output"));
  channel.end("unreachable", { code: 1006 });
  const seen = [];
  const loop = async () => {
    for await (const piece of stream) seen.push(piece);
  };
  await assert.rejects(loop(), {
    name: "ChannelClosedError",
    cause: { reason: "unreachable", code: 1006, message: "ended: unreachable" },
  });
  assert.deepEqual(seen, ["last output"]);
  await assert.rejects(stream.exited, { name: "ChannelClosedError" });
});

test("closing ends the channel and its loops, and so does the end of a block", async () => {
  const { channel, stream } = await open();
  const loop = (async () => {
    for await (const _ of stream);
  })();
  await stream[Symbol.asyncDispose]();
  assert.equal(channel.closed, true);
  assert.equal(stream.state.status, "closed");
  await loop;
  await stream.close();
});

test("states, errors and reconnects are emitted as events", async () => {
  const { channel, stream } = await open();
  const emitted = [];
  const stop = stream.on("state", ({ status }) => emitted.push(status));
  stream.on("error", (message) => emitted.push(message));
  stream.on("reconnected", (unacknowledged) => emitted.push(`reconnected, ${unacknowledged}`));
  channel.enter({ status: "reconnecting", attempt: 1, delay: 500 });
  await until(() => emitted.length === 1);
  stop();
  channel.open();
  channel.put({ type: "reconnected", unacknowledged: 2 }, { type: "error", message: "odd" }, output("$ "));
  await stream[Symbol.asyncIterator]().next();
  assert.deepEqual(emitted, ["reconnecting", "reconnected, 2", "odd"]);
});

test("input is accepted while connected, and refused while disconnected", async () => {
  const { channel, stream } = await open();
  assert.equal(stream.write("ls\r"), true);
  stream.resize(100, 30);
  const writer = stream.writable.getWriter();
  await writer.write("id\r");
  assert.equal(stream.refusal, undefined);
  channel.enter({ status: "unstable" });
  assert.deepEqual([stream.write("lost"), stream.refusal], [false, "unstable"]);
  channel.enter({ status: "reconnecting", attempt: 1, delay: 500 });
  assert.deepEqual([stream.write("lost"), stream.refusal], [false, "disconnected"]);
  await assert.rejects(writer.write("lost"), { name: "ConnectionError", delivered: "no" });
  assert.deepEqual(channel.sent, ["ls\r", [100, 30], "id\r"]);
  assert.throws(() => stream.write(1), { field: "text" });
});

test("the event of the state precedes the events of the items after a break", async () => {
  const { channel, stream } = await open();
  const emitted = [];
  stream.on("state", ({ status }) => emitted.push(status));
  stream.on("reconnected", () => emitted.push("reconnected"));
  const reported = deferred();
  const nextState = channel.nextState.bind(channel);
  channel.nextState = async () => {
    const state = await nextState();
    await reported.promise;
    return state;
  };
  channel.enter({ status: "reconnecting", attempt: 1, delay: 500 });
  await until(() => emitted.length === 1);
  // The items arrive before the new state is reported.
  channel.open();
  channel.put({ type: "reconnected", unacknowledged: 0 }, output("$ "));
  const reading = stream.read();
  setImmediate(reported.resolve);
  assert.equal(await reading, "$ ");
  assert.deepEqual(emitted, ["reconnecting", "open", "reconnected"]);
});

test("an input stream waits for space, splits no character, and closes when all input is acknowledged", async () => {
  const { channel, stream } = await open();
  const writer = stream.writable.getWriter();
  const text = `x${"🦀".repeat(1 << 18)}`;
  let ended = false;
  const writing = writer.write(text);
  await until(() => channel.sent.length === 1);
  assert.equal(stream.refusal, "full");
  channel.enter({ status: "unstable" });
  channel.acknowledge();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(channel.sent.length, 1);
  channel.open();
  await until(() => channel.sent.length === 2);
  channel.acknowledge();
  await writing;
  assert.equal(channel.sent.join(""), text);
  assert.ok(channel.sent.every((piece) => piece.isWellFormed?.() ?? true));
  const closing = writer.close().then(() => (ended = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ended, false);
  channel.acknowledge();
  await closing;
  assert.equal(stream.state.status, "open");
  await stream.writable.getWriter().write("again");
});

test("an input stream joins a surrogate pair that is split between two chunks", async () => {
  const { channel, stream } = await open();
  const writer = stream.writable.getWriter();
  for (const chunk of ["a\ud83e", "\udd80b", "\ud83d"]) await writer.write(chunk);
  await assert.rejects(writer.close(), { field: "text", message: /half of a surrogate pair/ });
  assert.deepEqual(channel.sent, ["a", "🦀b"]);
  const next = stream.writable.getWriter();
  await assert.rejects(next.write("c\udd80d"), { field: "text" });
  for (const half of ["\ud83d", "a\ude00b"])
    assert.throws(() => stream.write(half), { name: "InvalidParameterError", field: "text" });
  assert.throws(() => stream.write(new Uint8Array(1)), { message: "terminal.write: `text` must be a string" });
  assert.deepEqual(channel.sent, ["a", "🦀b"]);
});

test("an input stream writes to one shell only", async () => {
  const { channel, stream } = await open();
  const writer = stream.writable.getWriter();
  await writer.write("0123456789");
  const waiting = writer.write("more");
  channel.break();
  channel.open();
  const message = "terminal.writable: the connection was lost, and the last 10 bytes of input may not have arrived";
  await assert.rejects(waiting, { name: "ConnectionError", delivered: "no", message });
  await stream.writable.getWriter().write("new");
  assert.deepEqual(channel.sent, ["0123456789", "new"]);
});

test("an input stream that waits for space can be aborted", async () => {
  const { channel, stream } = await open();
  const writer = stream.writable.getWriter();
  await writer.write("0123456789");
  const waiting = writer.write("more");
  await until(() => stream.refusal === "full");
  await writer.abort(new Error("enough"));
  await assert.rejects(waiting);
  assert.deepEqual(channel.sent, ["0123456789"]);
});

test("drained resolves when all earlier input is acknowledged", async () => {
  const { channel, stream } = await open();
  await stream.drained();
  stream.write("ls\r");
  await assert.rejects(stream.drained({ timeout: 5 }), { name: "TimeoutError", delivered: "maybe" });
  const drained = [stream.drained(), stream.drained()];
  channel.acknowledge();
  await Promise.all(drained);
  stream.write("é");
  const lost = stream.drained();
  channel.break();
  const message = "terminal.drained: the connection was lost, and the last 2 bytes of input may not have arrived";
  await assert.rejects(lost, { name: "ConnectionError", delivered: "maybe", message });
  await stream.drained();
  channel.end();
  await stream.drained();
});

test("an item that arrives for a canceled stream is kept for the next reader", async () => {
  const { channel, stream } = await open();
  const reader = stream.readable.getReader();
  const reading = reader.read();
  await until(() => channel.pulls === 1);
  await reader.cancel();
  assert.equal((await reading).done, true);
  channel.put(output("kept"));
  assert.equal((await stream[Symbol.asyncIterator]().next()).value, "kept");
});

test("the output is available as a web stream", async () => {
  const { channel, stream } = await open();
  channel.put(output("a"));
  const reader = stream.readable.getReader();
  assert.deepEqual(await reader.read(), { done: false, value: "a" });
  channel.end("exit");
  assert.deepEqual(await reader.read(), { done: true, value: undefined });
});
