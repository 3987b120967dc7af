// Tests idle connections that a server closes while the next request may be in transit.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect, createServer as createRelay } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { call, client, listen } from "./addon.mjs";

const CLICK = ["computers.click", { id: "c1", x: 1, y: 1 }, { max_retries: 0 }];
/** A call that may be executed twice. */
const READ = ["computers.wait", { id: "c1", duration: 0 }, { max_retries: 0 }];

/** Starts a service that keeps idle connections open, announces no timeout by default, and counts the clicks. */
async function serve(test, headers = {}) {
  const seen = { clicks: 0 };
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      seen.clicks += 1;
      // Only the test determines which timeout the server announces.
      response.removeHeader("keep-alive");
      response.writeHead(200, { connection: "keep-alive", ...headers }).end('{"success":true}');
    });
  });
  server.keepAliveTimeout = 0;
  return { seen, port: await listen(test, server) };
}

/**
 * Starts a relay to a port, with a latency of `delay` ms. It closes a connection that was idle for `idle` ms. A request that
 * arrives after the close is lost.
 */
async function relay(test, port, { idle, delay }) {
  const seen = { connections: 0 };
  const relay = createRelay((client) => {
    seen.connections += 1;
    const server = connect(port, "127.0.0.1");
    for (const socket of [client, server]) socket.setNoDelay(true).on("error", () => {});
    let timer, closed;
    client.on("data", (data) =>
      setTimeout(() => {
        if (closed) return client.destroy();
        clearTimeout(timer);
        server.write(data);
      }, delay),
    );
    server.on("data", (data) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        closed = true;
        setTimeout(() => client.end(), delay);
      }, idle);
      setTimeout(() => client.writable && client.write(data), delay);
    });
    client.on("close", () => {
      clearTimeout(timer);
      server.destroy();
    });
  });
  return { seen, port: await listen(test, relay) };
}

/** Clicks `count` times. The pauses are about as long as the idle time of the relay. Returns the number of lost clicks. */
async function click(orgo, count, { idle, delay }) {
  let lost = 0;
  for (let index = 0; index < count; index += 1) {
    const outcome = await call(orgo, ...CLICK);
    if (!outcome.ok) lost += 1;
    // The pauses are distributed evenly over the time in which close and request may race.
    await sleep(Math.max(0, idle - 3 * delay + ((index * 7) % 40) * 0.1 * delay));
  }
  return lost;
}

for (const { idle, delay, count } of [
  { idle: 50, delay: 10, count: 200 },
  { idle: 300, delay: 10, count: 40 },
  { idle: 1000, delay: 20, count: 10 },
]) {
  test(`of ${count} clicks, each sent when the server closes a connection that was idle for ${idle} ms, at most one is lost`, async (t) => {
    const { port, seen } = await serve(t);
    const way = await relay(t, port, { idle, delay });
    const lost = await click(client(way.port), count, { idle, delay });
    console.log(`  ${idle} ms: ${lost} of ${count} lost, ${way.seen.connections} connections`);
    // After the first lost click, the client knows the idle time of this server. If that time is longer than the trusted idle
    // time, no click is lost.
    assert.ok(lost <= (idle < 250 ? 1 : 0), `${lost} lost`);
    assert.equal(seen.clicks, count - lost);
  });
}

test("successive clicks share a connection, and so do reads", async (t) => {
  const { port } = await serve(t);
  const way = await relay(t, port, { idle: 60_000, delay: 0 });
  const orgo = client(way.port);
  for (let index = 0; index < 20; index += 1) assert.ok((await call(orgo, ...CLICK)).ok);
  // On a slow machine the pause between two clicks may exceed the trusted idle time.
  assert.ok(way.seen.connections <= 3, `${way.seen.connections} connections`);
  const before = way.seen.connections;
  await sleep(400);
  for (let index = 0; index < 5; index += 1) await call(orgo, ...READ);
  assert.equal(way.seen.connections, before, "a read is retried if its connection breaks, so it uses the idle connection");
  await sleep(400);
  await call(orgo, ...CLICK);
  assert.equal(way.seen.connections, before + 1, "a click after a pause opens a connection");
});

test("connections are reused until a second before the announced timeout", async (t) => {
  const connectionsAfter = async (timeout) => {
    const { port } = await serve(t, { "keep-alive": `timeout=${timeout}` });
    const way = await relay(t, port, { idle: 60_000, delay: 0 });
    const orgo = client(way.port);
    await call(orgo, ...CLICK);
    await sleep(500);
    await call(orgo, ...CLICK);
    return way.seen.connections;
  };
  assert.equal(await connectionsAfter(60), 1);
  assert.equal(await connectionsAfter(1), 2);
});

test("a close that has arrived is processed before the next request of any kind", async (t) => {
  const { port } = await serve(t);
  const idle = 30;
  const way = await relay(t, port, { idle, delay: 0 });
  const orgo = client(way.port);
  for (let index = 0; index < 10; index += 1) {
    assert.ok((await call(orgo, ...READ)).ok);
    await sleep(idle * 3);
  }
});
