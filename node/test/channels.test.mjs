import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { WebSocketServer } from "ws";

import { addon, call, client, listen, open, output, status, thrown, until } from "./addon.mjs";

/** Starts a WebSocket server. `serve` receives each socket, with decoded messages. */
async function service(test, serve, http) {
  const server = createServer(http);
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => {
    const send = (message) => socket.send(JSON.stringify(message));
    const on = (act) => socket.on("message", (data) => act(JSON.parse(data)));
    on(({ type }) => type === "ping" && send({ type: "pong" }));
    serve({ socket, request, send, on });
  });
  test.after(() => sockets.close());
  return listen(test, server);
}

/** Serves a terminal that echoes its input. */
function echo({ send, on }) {
  on(({ type, data }) => type === "input" && send({ type: "output", data }));
}

test("a terminal sends input and returns output", async (t) => {
  let opened;
  const port = await service(t, (peer) => {
    opened = peer.request;
    echo(peer);
  });
  const terminal = open(client(port), "terminal", port, { cols: 100, rows: 30 });
  assert.deepEqual([terminal.command("input", "too early"), terminal.command("refusal")], ["disconnected", "disconnected"]);
  await status(terminal, "open");
  assert.equal(opened.url, "/ws/terminal?token=pass&cols=100&rows=30");
  assert.equal(opened.headers["user-agent"], `orgo-sdk-node/${addon.version()}`);
  assert.deepEqual([terminal.command("refusal"), terminal.command("input", "echo 🦀→")], [null, null]);
  assert.equal(await output(terminal, "→"), "echo 🦀→");
  const { received, taken, buffered } = terminal.counters();
  assert.deepEqual([received, taken, buffered], [12, 12, 0]);
  terminal.close();
});

test("a new size is sent, and a wrong argument throws", async (t) => {
  const resized = new Promise((found) => {
    t.port = service(t, ({ on }) => on((message) => message.type === "resize" && found(message)));
  });
  const port = await t.port;
  const terminal = open(client(port), "terminal", port);
  await status(terminal, "open");
  terminal.command("resize", { cols: 132, rows: 43 });
  assert.deepEqual(await resized, { type: "resize", cols: 132, rows: 43 });
  assert.equal(thrown(() => terminal.command("resize", { cols: 0, rows: 1 })).field, "cols");
  assert.equal(thrown(() => terminal.command("resize", { cols: NaN, rows: 1 })).field, "cols");
  assert.equal(thrown(() => terminal.command("input", 7)).field, "text");
  assert.match(thrown(() => terminal.command("subscribe", [])).message, /`subscribe` is not a command of this channel/);
  terminal.close();
});

test("a flood of small frames arrives completely, in order, and in few batches", async (t) => {
  const count = 20_000;
  const port = await service(t, ({ send }) => {
    for (let line = 0; line < count; line += 1) send({ type: "output", data: `${line} é🦀\r\n` });
    send({ type: "exit", code: 7 });
  });
  const terminal = open(client(port), "terminal", port);
  let [text, batches, last] = ["", 0];
  for (let batch = await terminal.next(); batch; batch = await terminal.next()) {
    batches += 1;
    for (const item of batch) {
      text += item.data ?? "";
      last = item;
    }
  }
  assert.equal(text, Array.from({ length: count }, (_, line) => `${line} é🦀\r\n`).join(""));
  assert.deepEqual(last, { type: "exit", code: 7 });
  assert.ok(batches < count / 10, `${batches} batches`);
  assert.equal(terminal.state().cause.reason, "exit");
});

test("a terminal whose output is not read makes the server wait", async (t) => {
  let peer;
  const port = await service(t, ({ socket, send }) => {
    peer = socket;
    const data = "x".repeat(16 << 10);
    const more = () => {
      while (socket.readyState === 1 && socket.bufferedAmount < 1 << 20) send({ type: "output", data });
    };
    socket.on("drain", more);
    socket._socket.on("drain", more);
    more();
  });
  const terminal = open(client(port), "terminal", port);
  await status(terminal, "open");
  const counters = () => terminal.counters();
  let before = -1;
  for (let now = counters().received; now !== before; now = counters().received) {
    before = now;
    await new Promise((later) => setTimeout(later, 300));
  }
  assert.ok(before < 2 << 20, `${before} bytes were read ahead`);
  assert.ok(peer.bufferedAmount > 0);
  const taken = (await terminal.next()).reduce((sum, { data }) => sum + data.length, 0);
  assert.ok(taken >= before);
  await terminal.next();
  assert.ok(counters().received > before);
  terminal.close();
});

test("audio arrives as samples, regardless of how the frames are split", async (t) => {
  const pcm = Int16Array.from({ length: 4_800 }, (_, at) => Math.round(20_000 * Math.sin(at / 10)));
  const bytes = Buffer.from(pcm.buffer);
  const port = await service(t, ({ socket, send }) => {
    send({ type: "started", sample_rate: 24_000, channels: 1 });
    for (let at = 0; at < bytes.length; at += 961) socket.send(bytes.subarray(at, at + 961));
  });
  const audio = open(client(port), "audio", port, { sample_rate: 24_000, batch_ms: 40 });
  let missing = pcm.length;
  const found = await until(audio, (item) => {
    missing -= item.samples?.length ?? 0;
    return missing === 0;
  });
  assert.deepEqual(found[0], { type: "started", sample_rate: 24_000, channels: 1 });
  const heard = found.flatMap(({ samples = [] }) => [...samples]);
  assert.deepEqual(
    heard,
    Array.from(pcm, (sample) => sample / 32_768),
  );
  // Each buffer can be transferred to a worker separately.
  const buffers = found.flatMap(({ samples }) => (samples ? [samples.buffer] : []));
  assert.equal(new Set(buffers).size, buffers.length);
  assert.equal(
    buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0),
    4 * pcm.length,
  );
  assert.equal(audio.counters().taken, pcm.length);
  audio.close();
});

test("events of the subscribed types arrive", async (t) => {
  const port = await service(t, ({ send, on }) => {
    on(({ type, event_types }) => {
      if (type !== "subscribe") return;
      send({ type: "subscribed", event_types });
      for (const kind of event_types) send({ type: "event", event: { type: kind, timestamp: "t", data: { content: "x" } } });
    });
  });
  const events = open(client(port), "events", port, { types: ["clipboard"] });
  const event = (type) => ({ type: "event", event: { type, timestamp: "t", data: { content: "x" } } });
  assert.deepEqual(await events.next(), [event("clipboard")]);
  events.command("subscribe", ["idle"]);
  assert.deepEqual(await events.next(), [event("idle")]);
  assert.equal(thrown(() => events.command("unsubscribe", ["clipbord"])).field, "types");
  events.close();
});

test("a consumer that keeps reading loses no events and no audio, however fast the server sends", async (t) => {
  const [count, seconds] = [50_000, 60];
  const port = await service(t, ({ socket, request, send, on }) => {
    if (request.url.includes("/audio")) {
      send({ type: "started", sample_rate: 24_000, channels: 1 });
      for (let second = 0; second < seconds; second += 1) socket.send(Buffer.alloc(48_000));
    }
    on(({ type }) => {
      if (type !== "subscribe") return;
      const event = { type: "idle", timestamp: "t", data: { idle_seconds: 30, text: "x".repeat(200) } };
      for (let sent = 0; sent < count; sent += 1) send({ type: "event", event });
    });
  });
  const orgo = client(port);
  const read = async (kind, options, total, measure) => {
    const channel = open(orgo, kind, port, options);
    let received = 0;
    while (received < total) {
      for (const item of (await channel.next()) ?? []) {
        assert.notEqual(item.type, "gap");
        received += measure(item);
      }
      // The consumer is slower than the server.
      await new Promise((later) => setTimeout(later, 1));
    }
    assert.equal(received, total);
    assert.equal(channel.counters().dropped, 0);
    channel.close();
  };
  await Promise.all([
    read("events", { types: ["idle"] }, count, ({ type }) => (type === "event" ? 1 : 0)),
    read("audio", { batch_ms: 0 }, seconds * 24_000, ({ samples }) => samples?.length ?? 0),
  ]);
});

test("a flood on one channel does not delay the calls and the other channels", async (t) => {
  // The server is in a separate thread, so that it does not wait for this test.
  const worker = new Worker(new URL("flood-server.mjs", import.meta.url));
  t.after(() => worker.terminate());
  const [port] = await once(worker, "message");
  const orgo = client(port);
  const flood = open(orgo, "terminal", port);
  const events = open(orgo, "events", port);
  const reading = [flood, events].map(async (channel) => {
    while ((await channel.next()) !== null);
  });
  const before = { terminal: flood.counters().received_bytes, events: events.counters().received_bytes };
  await until(open(orgo, "audio", port), ({ samples }) => samples !== undefined);
  const passed = [];
  for (let click = 0; click < 30; click += 1) {
    const start = flood.counters().received_bytes + events.counters().received_bytes;
    const { ok, error } = await call(orgo, "computers.click", { id: "c1", x: 1, y: 2 });
    assert.ok(ok, error?.message);
    passed.push(flood.counters().received_bytes + events.counters().received_bytes - start);
  }
  assert.ok(flood.counters().received_bytes > before.terminal && events.counters().received_bytes > before.events);
  // A thread that handles all available messages before it handles the call needs 16 MB or more for each click.
  const median = passed.sort((a, b) => a - b)[15];
  assert.ok(median < 8 << 20, `${median} bytes were received during a click`);
  assert.equal(events.counters().dropped, 0);
  flood.close();
  events.close();
  await Promise.all(reading);
});

for (const [code, reason] of [
  [1000, "refused"],
  [4500, "failed"],
  [4404, "not_found"],
  [4401, "unauthorized"],
]) {
  test(`close code ${code} ends a channel as ${reason}`, async (t) => {
    const port = await service(t, ({ socket }) => socket.close(code, "because"));
    const orgo = new addon.Client({ base_url: `http://127.0.0.1:${port}/api` });
    const terminal = open(orgo, "terminal", port);
    const { cause } = await status(terminal, "closed");
    assert.equal(cause.reason, reason, JSON.stringify(cause));
    assert.equal(await terminal.next(), null);
    assert.equal(await terminal.nextState(), null);
  });
}

test("a close of the server is acknowledged", async (t) => {
  const closed = new Promise((found) => {
    t.port = service(t, ({ socket }) => {
      socket.on("close", found);
      socket.close(4500, "no shell");
    });
  });
  const port = await t.port;
  await status(open(client(port), "terminal", port), "closed");
  assert.equal(await closed, 4500);
});

test("a normal close frame follows the messages that were sent before", async (t) => {
  const messages = [];
  const closed = new Promise((found) => {
    t.port = service(t, ({ socket, on }) => {
      on(({ type }) => messages.push(type));
      socket.on("close", found);
    });
  });
  const port = await t.port;
  const audio = open(client(port), "audio", port);
  await status(audio, "open");
  audio.close();
  assert.equal(await closed, 1000);
  assert.deepEqual(messages, ["ping", "stop"]);
  assert.equal(audio.state().cause.reason, "normal");
});

test("a refused upgrade ends a channel with a cause that does not contain the password", async (t) => {
  const server = createServer();
  server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"));
  const port = await listen(t, server);
  const { cause } = await status(open(client(port), "events", port, {}, { password: "hunter2" }), "closed");
  assert.equal(cause.reason, "not_found");
  assert.match(cause.message, /404/);
  assert.ok(!cause.message.includes("hunter2"));
});

test("after a refused password the channel requests another one", async (t) => {
  const port = await service(t, ({ socket, request, send, on }) => {
    if (!request.url.includes("token=fresh")) return socket.close(4401);
    echo({ send, on });
  });
  const terminal = open(client(port), "terminal", port, {}, { password: "stale", refreshable: true });
  assert.equal(await terminal.nextPasswordRequest(), true);
  terminal.providePassword({ computer_id: "c1", connection_url: `http://127.0.0.1:${port}`, password: "fresh" });
  assert.equal((await status(terminal, "open")).status, "open");
  terminal.close();
  assert.equal(await terminal.nextPasswordRequest(), false);
});

test("the error of the call for a password ends the channel, or is the cause of the next attempt", async (t) => {
  const port = await service(t, ({ socket }) => socket.close(4401));
  const refused = async (problem) => {
    const terminal = open(client(port), "terminal", port, {}, { password: "stale", refreshable: true });
    t.after(() => terminal.close());
    assert.equal(await terminal.nextPasswordRequest(), true);
    terminal.providePassword(undefined, problem);
    return terminal;
  };
  const ended = await status(await refused({ kind: "decode", message: "not JSON", status: 200 }), "closed");
  assert.deepEqual(ended.cause, { reason: "unauthorized", message: "the password was refused: not JSON" });
  const missing = await status(await refused({ kind: "server", message: "404 gone", status: 404, request_id: "r1" }), "closed");
  assert.deepEqual(missing.cause, {
    reason: "not_found",
    message: "there is no such computer, or it is not running: 404 gone, request id r1",
  });
  const retried = await status(await refused({ kind: "server", message: "503 busy", status: 503 }), "reconnecting");
  assert.equal(retried.cause.message, "the computer could not be reached: 503 busy");
  const text = await status(await refused("the server is busy"), "reconnecting");
  assert.equal(text.cause.message, "the server is busy");
});

test("a lost connection is reconnected", async (t) => {
  let sockets = 0;
  const port = await service(t, ({ socket, send, on }) => {
    if (++sockets === 1) setTimeout(() => socket.terminate(), 50);
    echo({ send, on });
  });
  const terminal = open(client(port), "terminal", port);
  await status(terminal, "open");
  await status(terminal, "reconnecting");
  await status(terminal, "open");
  assert.equal(terminal.command("input", "again"), null);
  const found = await until(terminal, ({ data }) => data === "again");
  assert.deepEqual(
    found.map(({ type }) => type),
    ["reconnected", "output"],
  );
  terminal.close();
});

test("a message of more than 16 MiB ends a channel, regardless of its fragmentation", async (t) => {
  let fragments = 0;
  let closed;
  const end = new Promise((resolve) => (closed = resolve));
  const port = await service(t, ({ socket }) => {
    const piece = " ".repeat(1 << 20);
    const more = () => {
      if (socket.readyState !== socket.OPEN) return;
      fragments += 1;
      socket.send(piece, { fin: false }, more);
    };
    socket.on("error", () => {}).on("close", closed);
    more();
  });
  const terminal = open(client(port), "terminal", port);
  const { cause } = await status(terminal, "closed");
  const message = "broken protocol: close code 1009, a message is larger than 16777216 bytes";
  assert.deepEqual(cause, { reason: "protocol", code: 1009, message });
  await end;
  assert.ok(fragments < 64, `${fragments} fragments were sent`);
});

test("an unreachable server is retried until the channel is closed", async () => {
  const terminal = open(client(9), "terminal", 9);
  await status(terminal, "reconnecting");
  terminal.close();
  assert.equal((await status(terminal, "closed")).cause.reason, "normal");
});

test("a wrong target or option throws without its value", () => {
  const orgo = client(9);
  assert.equal(thrown(() => orgo.open("terminal", [], {})).field, "target");
  const record = thrown(() => orgo.open("terminal", { computer_id: "c1", password: ["hunter2"] }, {}));
  assert.ok(!JSON.stringify(record).includes("hunter2"));
  assert.equal(thrown(() => open(orgo, "radio", 9)).field, "kind");
  assert.equal(thrown(() => open(orgo, "audio", 9, { sample_rate: 1 })).field, "sample_rate");
  assert.equal(thrown(() => open(orgo, "audio", 9, { batch_ms: 0.5 })).field, "batch_ms");
  assert.equal(thrown(() => open(orgo, "events", 9, { types: ["clipbord"] })).field, "types");
  const nowhere = open(orgo, "terminal", 9, {}, { connection_url: "ftp://x" });
  assert.equal(nowhere.state().cause.reason, "refused");
});
