// Compares how both bindings in Node report failures of the network, and how they treat redirects, encodings and closes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { WebSocketServer } from "ws";
import { certificate } from "../support/certificate.mjs";

const KINDS = ["native", "wasm"];

/** Loads a copy of the package with one binding. */
async function load(kind) {
  process.env.ORGO_BINDING = kind;
  const sdk = await import(`${import.meta.resolve("orgo-sdk")}?${kind}`);
  assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
  return sdk;
}

const packages = { native: await load("native"), wasm: await load("wasm") };

/** Defines a test for each binding. */
function testBoth(name, run) {
  for (const kind of KINDS) test(`${name} (${kind})`, { timeout: 60_000 }, (context) => run(context, packages[kind], kind));
}

async function listen(context, server, host = "127.0.0.1") {
  server.listen(0, host);
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return server.address().port;
}

const client = ({ Orgo }, origin, options = {}) =>
  new Orgo({ baseUrl: `${origin}/api`, apiKey: "sk_fault", maxRetries: 0, ...options });
const connect = ({ Orgo }, port, options) =>
  Orgo.connect({ version: 1, computer_id: "c", password: "p", connection_url: `http://127.0.0.1:${port}` }, options);
const click = (sdk, origin) =>
  client(sdk, origin)
    .computer("c")
    .click({ x: 1, y: 1 })
    .then(
      () => assert.fail("the call succeeded"),
      (error) => error,
    );

/** Returns a port on which nothing listens. */
async function closedPort() {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

testBoth("a failure before anything was sent has its cause, and nothing was delivered", async (context, sdk) => {
  const { key, cert } = certificate(context);
  const secure = await listen(
    context,
    createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => response.end("{}")),
    "localhost",
  );
  const silent = await listen(
    context,
    createTcpServer((socket) => socket.once("data", () => socket.destroy())),
  );
  for (const [origin, code, text] of [
    [`http://127.0.0.1:${await closedPort()}`, "ECONNREFUSED", /refused/i],
    ["http://nowhere.invalid", /^(ENOTFOUND|EAI_AGAIN)$/, /nowhere\.invalid|resolve/],
    [`https://localhost:${secure}`, "UNABLE_TO_VERIFY_LEAF_SIGNATURE", /certificate/],
    [`https://127.0.0.1:${silent}`, undefined, /TLS/],
  ]) {
    const error = await click(sdk, origin);
    assert.equal(error.name, "ConnectionError", origin);
    assert.equal(error.delivered, "no", `${origin}: ${error.message}`);
    assert.ok(error.cause instanceof Error, origin);
    if (code !== undefined) assert.match(error.cause.code, new RegExp(code), `${origin}: ${error.message}`);
    assert.match(error.message, text, origin);
    assert.ok(error.message.includes(error.cause.message), error.message);
    assert.doesNotMatch(error.message, /browser|CORS/);
  }
});

/** A server that accepts connections, and never responds. */
const hangs = () => createTcpServer((socket) => socket.on("error", () => {}).resume());

testBoth("a request that reaches its limit before its connection is open was not delivered", async (context, sdk) => {
  const port = await listen(context, hangs());
  const options = { timeout: 300 };
  const click = (scheme) => client(sdk, `${scheme}://127.0.0.1:${port}`).computer("c").click({ x: 1, y: 1 }, options);
  const deliveries = [click("https"), click("https"), click("http")].map((call) =>
    call.then(
      () => assert.fail("the call succeeded"),
      ({ name, delivered }) => `${name} ${delivered}`,
    ),
  );
  assert.deepEqual(await Promise.all(deliveries), ["TimeoutError no", "TimeoutError no", "TimeoutError maybe"]);
});

testBoth("a proxy that does not respond neither gets the request nor keeps the process alive", async (context, _, kind) => {
  const port = await listen(context, hangs());
  const script = `
    import { Orgo } from ${JSON.stringify(import.meta.resolve("orgo-sdk"))};
    if (process.env.ORGO_BINDING === "wasm") {
      const { EnvHttpProxyAgent, setGlobalDispatcher } = await import(${JSON.stringify(import.meta.resolve("undici"))});
      setGlobalDispatcher(new EnvHttpProxyAgent());
    }
    const computer = new Orgo({ baseUrl: "https://orgo.invalid/api", apiKey: "sk_fault" }).computer("c");
    const options = { timeout: 500, maxRetries: 0 };
    const error = await computer.click({ x: 1, y: 1 }, options).catch((error) => error);
    console.log(error.name, error.delivered);
  `;
  const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "--eval", script], {
    env: { ...process.env, ORGO_BINDING: kind, HTTPS_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: "" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  assert.deepEqual([(await once(child, "close"))[0], output], [0, "TimeoutError no\n"]);
});

testBoth("a connection that is lost after the request has its cause, and the delivery is unknown", async (context, sdk) => {
  const port = await listen(
    context,
    createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy())),
  );
  const error = await click(sdk, `http://127.0.0.1:${port}`);
  assert.equal(error.delivered, "maybe");
  assert.match(String(error.cause.code), /^(ECONNRESET|UND_ERR_SOCKET)$/);
});

testBoth("a channel that cannot connect has the cause", async (_, sdk) => {
  const error = await connect(sdk, await closedPort())
    .terminal({}, { maxRetries: 0 })
    .catch((error) => error);
  assert.equal(error.cause.reason, "unreachable");
  assert.match(error.message, /refused/i);
  assert.doesNotMatch(error.message, /browser/);
});

testBoth("a refused upgrade reports its status", async (context, sdk) => {
  const port = await listen(
    context,
    createServer((_, response) => response.end()).on("upgrade", (_, socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n")),
  );
  const error = await connect(sdk, port)
    .terminal({}, { maxRetries: 0 })
    .catch((error) => error);
  assert.equal(error.cause.reason, "unauthorized", error.message);
});

testBoth("a redirect to another origin carries neither the key nor the headers of the caller", async (context, sdk) => {
  const received = [];
  const elsewhere = await listen(
    context,
    createServer(({ headers }, response) => {
      received.push(headers);
      response.end("[]");
    }),
  );
  const location = `http://127.0.0.1:${elsewhere}/api/workspaces`;
  const port = await listen(
    context,
    createServer((_, response) => response.writeHead(307, { location }).end()),
  );
  for (const options of [{}, { apiKey: undefined, headers: { "x-tenant": "secret" } }]) {
    const error = await client(sdk, `http://127.0.0.1:${port}`, options)
      .workspaces.list()
      .catch((error) => error);
    assert.equal(error.status, 307, error.message);
    assert.match(error.message, /only reads follow redirects, on the same origin/);
  }
  assert.deepEqual(received, []);
});

testBoth("a read follows a redirect on its own origin with the headers of the caller", async (context, sdk) => {
  const received = [];
  const port = await listen(
    context,
    createServer(({ url, headers }, response) => {
      received.push([url, headers.authorization, headers["x-tenant"]]);
      if (url === "/api/workspaces") response.writeHead(302, { location: "other?x" }).end();
      else response.end("[]");
    }),
  );
  const orgo = client(sdk, `http://127.0.0.1:${port}`, { headers: { "x-tenant": "t" } });
  assert.deepEqual(await orgo.workspaces.list(), []);
  assert.deepEqual(received, [
    ["/api/workspaces", "Bearer sk_fault", "t"],
    ["/api/other?x", "Bearer sk_fault", "t"],
  ]);
});

testBoth("a response that is compressed with gzip is decoded, within the limit", async (context, sdk) => {
  const port = await listen(
    context,
    createServer(({ url }, response) => {
      const body = url === "/api/large" ? "x".repeat(1 << 20) : '{"a":1}';
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(body));
    }),
  );
  const orgo = client(sdk, `http://127.0.0.1:${port}`, { maxResponseBytes: 1000 });
  assert.deepEqual(await orgo.request({ method: "GET", path: "/small" }), { a: 1 });
  const error = await orgo.request({ method: "GET", path: "/large" }).catch((error) => error);
  assert.equal(error.name, "ResponseTooLargeError", error.message);
});

testBoth("the stream of a small file starts before the file is complete", async (context, sdk) => {
  const server = createServer(({ url, headers }, response) => {
    if (url !== "/file") return response.end(JSON.stringify({ url: `http://${headers.host}/file` }));
    response.writeHead(200, { "content-length": 100 }).write("x".repeat(50));
  });
  const stream = await client(sdk, `http://127.0.0.1:${await listen(context, server)}`).files.stream("f");
  assert.equal(stream.size, 100);
  const reader = stream.getReader();
  assert.equal((await reader.read()).value.length, 50);
  await reader.cancel();
});

// The decoder of `fetch` accepts such a response.
test("a gzip response that is cut off is not taken as complete (native)", async (context) => {
  const whole = gzipSync('{"a":1}');
  const port = await listen(
    context,
    createServer((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(whole.subarray(0, -9))),
  );
  const error = await client(packages.native, `http://127.0.0.1:${port}`)
    .request({ method: "GET", path: "/x" })
    .catch((error) => error);
  assert.equal(error.name, "ConnectionError", error.message);
  assert.match(error.message, /cut off/);
});

test("another Content-Encoding is named (native)", async (context) => {
  const port = await listen(
    context,
    createServer((_, response) => response.writeHead(200, { "content-encoding": "br" }).end(brotliCompressSync("[]".repeat(99)))),
  );
  const error = await client(packages.native, `http://127.0.0.1:${port}`)
    .workspaces.list()
    .catch((error) => error);
  assert.equal(error.name, "DecodeError");
  assert.match(error.message, /`Content-Encoding` br, which is not supported/);
});

/** Starts a service for channels. `serve` gets each socket and its number, after the response to the first ping. */
async function service(context, serve) {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  let count = 0;
  sockets.on("connection", (socket) => {
    const number = count++;
    socket.once("message", () => {
      socket.send('{"type":"pong"}');
      serve(socket, number);
    });
  });
  context.after(() => {
    for (const socket of sockets.clients) socket.terminate();
  });
  return listen(context, server);
}

/** Sends a close frame with any code. */
function closeRaw(socket, code) {
  socket._socket.write(Buffer.from([0x88, 2, code >> 8, code & 255]));
}

const histories = {};
testBoth("states, reconnects and close codes have the same order and values", async (context, sdk, kind) => {
  const codes = [1001, 999, 2999, 1005, 4500];
  let close;
  const port = await service(context, (socket, number) => {
    close = () => closeRaw(socket, codes[number]);
  });
  const terminal = await connect(sdk, port).terminal();
  const history = [];
  terminal.on("state", ({ status, cause }) => history.push([status, cause?.reason, cause?.code]));
  // The server closes a connection after its states are reported: a state that ends immediately may be skipped.
  terminal.on("reconnected", () => {
    history.push(["reconnected"]);
    close();
  });
  close();
  // The end of the channel rejects the read.
  await assert.rejects(terminal.read(), sdk.ChannelClosedError);
  history.push(["counters", terminal.counters.reconnects]);
  const events = history.map(([name]) => name);
  for (const [at, name] of events.entries()) {
    if (name === "reconnected")
      assert.notEqual(
        events.slice(0, at).findLast((event) => event !== "reconnected"),
        "reconnecting",
      );
  }
  assert.equal(terminal.counters.reconnects, codes.length - 1);
  histories[kind] = history.map(String);
});

test("both bindings report the same history of a channel", () => assert.deepEqual(histories.wasm, histories.native));

testBoth("a failing `refresh` is the reason of the state", async (context, sdk) => {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.close(4401));
  const port = await listen(context, server);
  const computer = connect(sdk, port, {
    refresh: () => Promise.reject(new Error("the session has expired")),
  });
  const error = await computer.events(["idle"], { maxRetries: 0 }).catch((error) => error);
  assert.equal(error.cause.reason, "unreachable");
  assert.equal(error.message, "`refresh` failed: the session has expired");
});

testBoth("a process ends after a server has reset connections in the middle of uploads", async (context, _, kind) => {
  const server = createServer((request) => {
    let received = 0;
    request
      .on("error", () => {})
      .on("data", ({ length }) => {
        received += length;
        if (received > 1_000_000) request.socket.resetAndDestroy();
      });
  });
  const port = await listen(context, server);
  const script = `
    import { Orgo } from ${JSON.stringify(import.meta.resolve("orgo-sdk"))};
    const orgo = new Orgo({ baseUrl: "http://127.0.0.1:${port}/api", apiKey: "sk_fault", maxRetries: 0 });
    for (let index = 0; index < 3; index += 1) {
      const file = new Uint8Array(16 << 20);
      await orgo.files.upload({ workspace_id: "w", name: "f", file }).catch(({ name }) => console.log(name));
    }
  `;
  const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "--eval", script], {
    env: { ...process.env, ORGO_BINDING: kind },
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  assert.deepEqual([(await once(child, "close"))[0], output], [0, "ConnectionError\n".repeat(3)]);
});

testBoth("a process ends although a server does not respond to a close", async (context, _, kind) => {
  const server = createServer();
  server.on("upgrade", ({ headers }, socket) => {
    const key = `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.on("error", () => {});
    socket.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join("\r\n")}\r\n\r\n`);
    // A pong. Everything after it is ignored, also the close frame.
    socket.once("data", () => socket.write(Buffer.concat([Buffer.from([0x81, 15]), Buffer.from('{"type":"pong"}')])));
    context.after(() => socket.destroy());
  });
  const port = await listen(context, server);
  const script = `
    import { Orgo } from ${JSON.stringify(import.meta.resolve("orgo-sdk"))};
    const connection = { version: 1, computer_id: "c", password: "p", connection_url: "http://127.0.0.1:${port}" };
    const terminal = await Orgo.connect(connection).terminal();
    await terminal.close();
    console.log((await Orgo.bindingInfo()).kind);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    env: { ...process.env, ORGO_BINDING: kind },
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  assert.equal(code, 0);
  assert.equal(output, `${kind}\n`);
});
