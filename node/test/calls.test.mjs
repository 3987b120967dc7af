import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { test } from "node:test";

import { addon, begin, call, client, listen, PIXEL, thrown } from "./addon.mjs";

const CLICK = { id: "c1", x: 10, y: 20 };

/** Starts a server that responds with JSON. Returns the requests that the server receives. */
async function service(test, respond) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("latin1")) body += chunk;
    const { method, url, headers, socket } = request;
    requests.push({ method, url, headers, body, port: socket.remotePort });
    const { status = 200, headers: fields = {}, body: value = { success: true } } = (await respond?.(request, requests)) ?? {};
    response.writeHead(status, { "content-type": "application/json", ...fields });
    response.end(Buffer.isBuffer(value) ? value : JSON.stringify(value));
  });
  return { requests, server, port: await listen(test, server) };
}

test("a call sends the declared parameters and returns the value of the response", async (t) => {
  const { requests, port } = await service(t);
  const outcome = await call(client(port), "computers.click", CLICK, { headers: { "X-Trace": "7" } });
  assert.deepEqual(outcome, { ok: true, value: { success: true } });
  const [{ method, url, headers, body }] = requests;
  assert.equal(`${method} ${url}`, "POST /api/computers/c1/click");
  assert.deepEqual(JSON.parse(body), { x: 10, y: 20 });
  assert.equal(headers.authorization, "Bearer sk_live_secret");
  assert.equal(headers["user-agent"], `orgo-sdk-node/${addon.version()}`);
  assert.equal(headers["x-trace"], "7");
});

test("the caller's user agent replaces the default", async (t) => {
  const { requests, port } = await service(t);
  await call(client(port, { headers: { "User-Agent": "bot/1" } }), "computers.click", CLICK);
  assert.equal(requests[0].headers["user-agent"], "bot/1");
});

test("the bytes of a screenshot belong to the caller", async (t) => {
  const { port } = await service(t, () => ({ body: { image: `data:image/png;base64,${PIXEL.toString("base64")}` } }));
  const { value, bytes } = await call(client(port), "computers.screenshot", { id: "c1" });
  assert.deepEqual(value, { mime_type: "image/png", width: 1, height: 1 });
  assert.ok(bytes instanceof Uint8Array && PIXEL.equals(bytes));
  const moved = structuredClone(bytes, { transfer: [bytes.buffer] });
  assert.ok(PIXEL.equals(moved));
  assert.equal(bytes.length, 0, "the buffer was transferred, not copied");
});

test("large content belongs to the caller too", async (t) => {
  // Larger than the pieces in which the addon copies content.
  const image = Buffer.concat([PIXEL, Buffer.alloc(1_000_001, "content")]);
  const { port } = await service(t, () => ({ body: { image: `data:image/png;base64,${image.toString("base64")}` } }));
  const screenshots = Array.from({ length: 4 }, () => call(client(port), "computers.screenshot", { id: "c1" }));
  for (const { bytes } of await Promise.all(screenshots)) {
    assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
    assert.equal(bytes.byteLength, bytes.buffer.byteLength);
    assert.ok(image.equals(bytes));
    assert.ok(image.equals(structuredClone(bytes, { transfer: [bytes.buffer] })));
    assert.equal(bytes.length, 0, "the buffer was transferred, not copied");
  }
});

test("a file is uploaded completely", async (t) => {
  const { requests, port } = await service(t, () => ({ body: { file: { id: "f1", filename: "a.bin" } } }));
  const data = Buffer.from([0, 255, 13, 10, 45, 45]);
  const content = { name: "a.bin", content_type: "application/octet-stream", data };
  const outcome = await call(client(port), "files.upload", { workspace_id: "w1" }, {}, content);
  assert.equal(outcome.ok, true, JSON.stringify(outcome));
  assert.ok(requests[0].body.includes(data.toString("latin1")));
});

test("an upload reports how much of the file the connection has accepted", async (t) => {
  const total = 32 << 20;
  let drink;
  const thirst = new Promise((resolve) => (drink = resolve));
  // Unread bytes fill the buffers of the operating system and block the client.
  const server = createServer(async (request, response) => {
    await thirst;
    for await (const _ of request);
    response.end('{"file":{"id":"f"}}');
  });
  const port = await listen(t, server);
  const upload = (reports_progress) =>
    client(port).call(
      "files.upload",
      { workspace_id: "w1" },
      {},
      {
        name: "a",
        content_type: "",
        data: new Uint8Array(total),
        reports_progress,
      },
    );
  const raw = upload(true);
  const outcome = raw.outcome();
  const first = await raw.nextUploadProgress();
  assert.equal(first.total, total);
  const reported = [first.loaded];
  assert.ok(first.loaded < total, "the server has not read the file");
  drink();
  for (let next = await raw.nextUploadProgress(); next !== null; next = await raw.nextUploadProgress())
    reported.push(next.loaded);
  assert.equal((await outcome).ok, true);
  assert.deepEqual(
    reported,
    [...new Set(reported)].sort((a, b) => a - b),
  );
  assert.equal(reported.at(-1), total);
  assert.equal(await raw.nextUploadProgress(), null);

  const unwatched = upload(undefined);
  const [, nothing] = await Promise.all([unwatched.outcome(), unwatched.nextUploadProgress()]);
  assert.equal(nothing, null);
});

test("a canceled upload sends no more bytes", async (t) => {
  const total = 32 << 20;
  const server = createTcpServer({ pauseOnConnect: true });
  const port = await listen(t, server);
  const connected = once(server, "connection");
  const content = { name: "a", content_type: "", data: new Uint8Array(total), reports_progress: true };
  const given = client(port).call("files.upload", { workspace_id: "w1" }, {}, content);
  const outcome = given.outcome();
  const [socket] = await connected;
  await given.nextUploadProgress();
  given.cancel();
  assert.equal((await outcome).ok, false);
  let received = 0;
  socket.on("data", (bytes) => (received += bytes.length)).on("error", () => {});
  socket.resume();
  await once(socket, "close");
  assert.ok(received < total, `${received} bytes came`);
});

test("the progress of an upload ends with the upload in every case", async (t) => {
  const server = createServer(() => {});
  const port = await listen(t, server);
  const content = { name: "a", content_type: "", data: new Uint8Array(9), reports_progress: true };
  const given = client(port).call("files.upload", { workspace_id: "w1" }, {}, content);
  const outcome = given.outcome();
  assert.equal((await given.nextUploadProgress()).total, 9);
  const next = given.nextUploadProgress();
  given.cancel();
  assert.equal((await outcome).ok, false);
  assert.equal(await next, null);

  const wrong = client(port).call("files.upload", [], {}, content);
  assert.equal((await wrong.outcome()).ok, false);
  assert.equal(await wrong.nextUploadProgress(), null);
});

test("a wrong argument of a call is its outcome, and nothing is sent", async (t) => {
  const { requests, port } = await service(t);
  const wrong = async (...args) => (await call(client(port), ...args)).error;
  assert.equal((await wrong("computers.click", { ...CLICK, x: "a" })).field, "x");
  assert.equal((await wrong("computers.fly", {})).kind, "encode");
  assert.equal((await wrong("computers.click", CLICK, { timeout: -1 })).field, "timeout");
  const cycle = {};
  cycle.self = cycle;
  const half = { ...CLICK, note: [{ text: "\ud83d" }] };
  for (const params of [cycle, [1], null, "text", () => {}, half]) {
    assert.equal((await wrong("computers.click", params)).field, "params");
  }
  const content = { name: "a", content_type: "text/plain", data: "text" };
  assert.equal((await wrong("files.upload", { workspace_id: "w1" }, {}, content)).field, "file");
  assert.equal(requests.length, 0);
});

test("wrong settings throw an error record without their values", () => {
  assert.equal(thrown(() => new addon.Client({ base_url: "nowhere" })).field, "baseUrl");
  const record = thrown(() => new addon.Client({ api_key: ["sk_live_secret"] }));
  assert.equal(record.kind, "encode");
  assert.ok(!JSON.stringify(record).includes("sk_live_secret"));
});

test("an error of the server keeps its details", async (t) => {
  const { port } = await service(t, () => ({ status: 404, body: { error: "no such computer", request_id: "r1" } }));
  const { error } = await call(client(port), "computers.get", { id: "c1" });
  assert.equal(error.kind, "server");
  assert.equal(error.status, 404);
  assert.equal(error.request_id, "r1");
});

test("a refused connection delivered nothing", async (t) => {
  const { server, port } = await service(t);
  await new Promise((closed) => server.close(closed));
  const { error } = await call(client(port), "computers.click", CLICK, { max_retries: 0 });
  assert.equal(error.kind, "transport");
  assert.equal(error.delivered, "no");
  assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*refused`));
});

test("a name that does not resolve delivered nothing", async () => {
  const orgo = new addon.Client({ base_url: "http://nowhere.invalid/api", api_key: "k" });
  const { error } = await call(orgo, "computers.click", CLICK, { max_retries: 0 });
  assert.equal(error.delivered, "no");
  assert.match(error.message, /nowhere\.invalid/);
});

test("after a broken connection the delivery is unknown, and a click is not retried", async (t) => {
  let requests = 0;
  const server = createTcpServer((socket) => {
    socket.once("data", () => {
      requests += 1;
      socket.resetAndDestroy();
    });
  });
  const { error } = await call(client(await listen(t, server)), "computers.click", CLICK);
  assert.equal(error.kind, "transport");
  assert.equal(error.delivered, "maybe");
  assert.equal(requests, 1);
});

test("an incomplete response is a failure, and a read is retried", async (t) => {
  const { requests, port } = await service(t, (request, { length }) => {
    if (length > 1) return { body: [] };
    request.socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[");
  });
  const outcome = await call(client(port), "workspaces.list", {});
  assert.deepEqual(outcome.value, []);
  assert.equal(requests.length, 2);
});

/** Starts a server with an endless response. Returns the number of bytes that it wrote before the connection was closed. */
async function endless(t, headers) {
  let written = 0;
  let end;
  const ended = new Promise((resolve) => (end = resolve));
  const piece = Buffer.alloc(1 << 20, " ");
  const server = createServer((_, response) => {
    response.writeHead(200, headers);
    const write = () => {
      while (response.write(piece)) written += piece.length;
      written += piece.length;
    };
    response.on("drain", write).on("close", () => end(written));
    write();
  });
  return { port: await listen(t, server), ended };
}

test("an endless response is aborted at the limit, and its connection is closed", async (t) => {
  const limit = 4 << 20;
  const { port, ended } = await endless(t);
  const { error } = await call(client(port, { max_response_bytes: limit }), "computers.get", { id: "c1" });
  assert.deepEqual([error.kind, error.limit, error.status, error.delivered], ["too_large", limit, 200, "yes"]);
  // The bytes beyond the limit filled the buffers of the operating system.
  const written = await ended;
  assert.ok(written < limit + (32 << 20), `${written} bytes were written`);
});

test("the default response limit is 64 MiB, and 1 GiB for the content of a file", async (t) => {
  const { port } = await endless(t);
  const { error } = await call(client(port), "computers.get", { id: "c1" });
  assert.deepEqual([error.kind, error.limit], ["too_large", 64 << 20]);

  const size = (64 << 20) + 1;
  const { port: files } = await service(t, ({ url }) => ({ body: url === "/x" ? Buffer.alloc(size, 7) : { url: "/x" } }));
  const { bytes } = await call(client(files), "files.bytes", { id: "f1" });
  assert.equal(bytes?.length, size);
  const { error: bounded } = await call(client(files), "files.bytes", { id: "f1" }, { max_response_bytes: size - 1 });
  assert.deepEqual([bounded.kind, bounded.limit], ["too_large", size - 1]);
});

test("the time limit ends a call and frees its connection", async (t) => {
  const { server, port } = await service(t, () => new Promise(() => {}));
  const { outcome } = begin(client(port), "computers.click", CLICK, { timeout: 200 });
  const [request] = await once(server, "request");
  const closed = once(request.socket, "close");
  const { error } = await outcome;
  assert.deepEqual([error.kind, error.limit, error.delivered], ["timeout", 200, "maybe"]);
  await closed;
});

test("a canceled call ends and frees its connection", async (t) => {
  const { server, port } = await service(t, () => new Promise(() => {}));
  const { outcome, cancel } = begin(client(port), "computers.click", CLICK);
  const [request] = await once(server, "request");
  const closed = once(request.socket, "close");
  cancel();
  const { error } = await outcome;
  assert.deepEqual([error.kind, error.delivered], ["aborted", "maybe"]);
  await closed;
});

test("a call that is canceled before it starts sends nothing", async (t) => {
  const { requests, port } = await service(t);
  const pending = client(port).call("computers.click", CLICK, {});
  pending.cancel();
  const { ok, error } = await pending.outcome();
  assert.equal(ok, false);
  assert.equal(error.kind, "aborted");
  assert.equal(requests.length, 0);
  assert.throws(() => pending.outcome(), /already/);
});

test("canceling after the end, or dropping the call, changes nothing", async (t) => {
  const { port } = await service(t);
  const { outcome, cancel } = begin(client(port), "computers.click", CLICK);
  assert.equal((await outcome).ok, true);
  cancel();
});

test("calls share a connection, and a call succeeds after the server closed an idle one", async (t) => {
  const { requests, server, port } = await service(t);
  const orgo = client(port);
  await call(orgo, "computers.click", CLICK);
  await call(orgo, "computers.click", CLICK);
  assert.equal(requests[0].port, requests[1].port);
  server.closeIdleConnections();
  const outcome = await call(orgo, "computers.click", CLICK, { max_retries: 0 });
  assert.equal(outcome.ok, true, JSON.stringify(outcome));
  assert.notEqual(requests[2].port, requests[1].port);
});

test("calls run concurrently", async (t) => {
  const waiting = [];
  const { port } = await service(
    t,
    () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 8) for (const respond of waiting.splice(0)) respond({});
      }),
  );
  const orgo = client(port);
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => call(orgo, "computers.click", CLICK)));
  assert.ok(outcomes.every(({ ok }) => ok));
});

test("a read follows a redirect on its own origin, credentials included", async (t) => {
  const { requests, port } = await service(t, ({ url }) =>
    url === "/api/workspaces" ? { status: 307, headers: { location: "/api/v2/workspaces?all=1" } } : { body: [] },
  );
  assert.deepEqual((await call(client(port), "workspaces.list", {})).value, []);
  assert.equal(requests[1].url, "/api/v2/workspaces?all=1");
  assert.equal(requests[1].headers.authorization, "Bearer sk_live_secret");
});

test("credentials never follow a redirect to another origin, and a click follows none", async (t) => {
  const elsewhere = await service(t);
  const location = `http://127.0.0.1:${elsewhere.port}/api`;
  const { port } = await service(t, () => ({ status: 307, headers: { location }, body: {} }));
  for (const [operation, params] of [
    ["workspaces.list", {}],
    ["computers.click", CLICK],
  ]) {
    const { error } = await call(client(port), operation, params);
    assert.equal(error.status, 307, operation);
  }
  assert.equal(elsewhere.requests.length, 0);
});

test("a link without credentials may redirect to any origin", async (t) => {
  const store = await service(t, () => ({ body: Buffer.from("content") }));
  const { requests, port } = await service(t, ({ url }) =>
    url === "/link"
      ? { status: 302, headers: { location: `http://127.0.0.1:${store.port}/object` } }
      : { body: { url: `http://127.0.0.1:${port}/link` } },
  );
  const { bytes } = await call(client(port), "files.bytes", { id: "f1" });
  assert.equal(Buffer.from(bytes).toString(), "content");
  assert.equal(requests[1].headers.authorization, undefined);
  assert.equal(store.requests[0].headers.authorization, undefined);
});

test("a redirect loop ends", async (t) => {
  const { port } = await service(t, ({ url }) => ({ status: 302, headers: { location: url } }));
  const { error } = await call(client(port), "workspaces.list", {}, { max_retries: 0 });
  assert.match(error.message, /too many redirects/);
});
