// Connections to a server: TLS with certificates from the environment, and proxies.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, createServer as createTcpServer } from "node:net";
import { test } from "node:test";

import { WebSocketServer } from "ws";
import { certificate } from "../../tests/support/certificate.mjs";
import { addon, call, client, environment, listen, open, output, status } from "./addon.mjs";

/** Starts a service that responds to every call, and whose terminals echo their input. */
function serve(test, server) {
  server.on("request", ({ url, headers }, response) => {
    if (url === "/content") return response.end("content");
    response.end(url.startsWith("/api/files/") ? JSON.stringify({ url: `http://${headers.host}/content` }) : '{"success":true}');
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.on("message", (text) => {
      const { type, data } = JSON.parse(text);
      socket.send(JSON.stringify(type === "ping" ? { type: "pong" } : { type: "output", data }));
    });
  });
  test.after(() => sockets.close());
  return listen(test, server);
}

async function secure(test) {
  const { ca, key, cert } = certificate(test);
  const port = await serve(test, createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }));
  return { ca, port, origin: `https://localhost:${port}` };
}

/** Starts a proxy for requests and tunnels that records the requested targets. */
async function proxy(test, refuse) {
  const seen = [];
  const server = createServer((request, response) => {
    seen.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    response.end('{"success":true}');
  });
  server.on("connect", ({ url, headers }, socket) => {
    seen.push({ line: `CONNECT ${url}`, headers });
    socket.on("error", () => {});
    if (refuse) return socket.end(`HTTP/1.1 ${refuse}\r\n\r\n`);
    const [name, port] = url.split(":");
    const target = connect(Number(port), name === ELSEWHERE ? "127.0.0.1" : name, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
    target.on("error", () => socket.destroy());
    socket.on("close", () => target.destroy());
  });
  return { seen, port: await listen(test, server) };
}

/** A host name that only the proxy of these tests can resolve. The proxy connects it to the local machine. */
const ELSEWHERE = "there.invalid";

const CLICK = ["computers.click", { id: "c1", x: 1, y: 2 }, { max_retries: 0 }];

function orgo(origin) {
  return new addon.Client({ base_url: `${origin}/api`, api_key: "sk_live_secret" });
}

async function echo(orgo, origin) {
  const terminal = open(orgo, "terminal", 0, {}, { connection_url: origin });
  const state = await status(terminal, "open", "reconnecting", "closed");
  assert.equal(state.status, "open", JSON.stringify(state));
  terminal.command("input", "hello");
  assert.equal(await output(terminal, "hello"), "hello");
  terminal.close();
}

test("an untrusted server is refused before anything is sent", async (t) => {
  const { origin } = await secure(t);
  const { error } = await call(orgo(origin), ...CLICK);
  assert.equal(error.delivered, "no");
  assert.match(error.message, /TLS with localhost failed.*UnknownIssuer|certificate/);
});

for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]) {
  test(`${name} names certificates to trust, for calls and channels`, async (t) => {
    const { origin, ca } = await secure(t);
    environment(t, { [name]: ca });
    const client = orgo(origin);
    assert.equal((await call(client, ...CLICK)).ok, true);
    await echo(client, origin);
  });
}

test("a CA certificate of a server is refused with an explanation", async (t) => {
  const { ca, ca_key } = certificate(t);
  const server = createTlsServer({ cert: readFileSync(ca), key: readFileSync(ca_key) });
  const port = await listen(t, server);
  environment(t, { NODE_EXTRA_CA_CERTS: ca });
  const { error } = await call(orgo(`https://localhost:${port}`), ...CLICK);
  assert.equal(error.delivered, "no");
  assert.match(error.message, /TLS with localhost failed \(the certificate of the server is a CA certificate: .*CA:FALSE\)/);
});

test("a server without TLS is explained", async (t) => {
  const port = await listen(t, createServer());
  const { error } = await call(orgo(`https://localhost:${port}`), ...CLICK);
  assert.equal(error.delivered, "no");
  assert.equal(error.network.code, "EPROTO");
  assert.match(error.message, /the server probably does not use TLS on this port/);
});

test("a certificate for another name is refused", async (t) => {
  const { port, ca } = await secure(t);
  environment(t, { NODE_EXTRA_CA_CERTS: ca });
  const { error } = await call(orgo(`https://127.0.0.1:${port}`), ...CLICK);
  assert.equal(error.delivered, "no");
  assert.match(error.message, /certificate/);
});

test("a missing SSL_CERT_FILE is named in the error", async (t) => {
  const { origin } = await secure(t);
  environment(t, { SSL_CERT_FILE: "/nowhere/ca.pem" });
  const { error } = await call(orgo(origin), ...CLICK);
  assert.match(error.message, /no trusted certificates.*\/nowhere\/ca\.pem/);
});

test("HTTPS_PROXY tunnels secure calls and channels, with credentials", async (t) => {
  const { origin, ca, port } = await secure(t);
  const through = await proxy(t);
  environment(t, {
    NODE_EXTRA_CA_CERTS: ca,
    HTTPS_PROXY: `http://user:pa%40ss@127.0.0.1:${through.port}`,
    NO_PROXY: "<-loopback>",
  });
  const client = orgo(origin);
  assert.equal((await call(client, ...CLICK)).ok, true);
  await echo(client, origin);
  const expected = `CONNECT localhost:${port}`;
  assert.deepEqual(
    through.seen.map(({ line }) => line),
    [expected, expected],
  );
  const credentials = `Basic ${Buffer.from("user:pa@ss").toString("base64")}`;
  assert.ok(through.seen.every(({ headers }) => headers["proxy-authorization"] === credentials));
  assert.ok(through.seen.every(({ headers }) => headers.authorization === undefined));
});

test("HTTP_PROXY forwards plain calls and tunnels plain channels", async (t) => {
  const port = await serve(t, createServer());
  const through = await proxy(t);
  environment(t, { HTTP_PROXY: `http://user:pass@127.0.0.1:${through.port}` });
  // Only the proxy can resolve this name.
  const origin = `http://${ELSEWHERE}:${port}`;
  const proxied = orgo(origin);
  assert.equal((await call(proxied, ...CLICK)).ok, true);
  await echo(proxied, origin);
  assert.deepEqual(
    through.seen.map(({ line }) => line),
    [`POST ${origin}/api/computers/c1/click`, `CONNECT ${ELSEWHERE}:${port}`],
  );
  assert.ok(through.seen.every(({ headers }) => headers["proxy-authorization"]?.startsWith("Basic ")));
});

for (const host of ["127.0.0.1", "localhost", "c1.localhost", "127.1", "[::ffff:127.0.0.1]"]) {
  test(`${host} is this machine: calls, links and channels use no proxy, even if the environment sets one`, async (t) => {
    const server = createServer();
    const port = await serve(t, server);
    const dead = "http://user:hunter2@127.0.0.1:9";
    const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
    environment(t, Object.fromEntries(names.map((name) => [name, dead])));
    const origin = `http://${host}:${port}`;
    const direct = orgo(origin);
    assert.deepEqual(await call(direct, ...CLICK), { ok: true, value: { success: true } });
    const content = { name: "f", content_type: "text/plain", data: Buffer.from("x") };
    const uploaded = await call(direct, "files.upload", { workspace_id: "w" }, { max_retries: 0 }, content);
    assert.notEqual(uploaded.error?.kind, "transport", uploaded.error?.message);
    const bytes = await call(direct, "files.bytes", { id: "f" }, { max_retries: 0 });
    assert.equal(Buffer.from(bytes.bytes).toString(), "content", bytes.error?.message);
    await echo(direct, origin);
  });
}

test("with `<-loopback>` in NO_PROXY, the proxy is also used for the local machine", async (t) => {
  const port = await serve(t, createServer());
  const through = await proxy(t);
  environment(t, { HTTP_PROXY: `http://127.0.0.1:${through.port}`, NO_PROXY: "<-loopback>" });
  assert.equal((await call(client(port), ...CLICK)).ok, true);
  await echo(client(port), `http://127.0.0.1:${port}`);
  assert.equal(through.seen.length, 2);
});

test("servers in NO_PROXY are reached without a proxy", async (t) => {
  const port = await serve(t, createServer());
  const through = await proxy(t);
  const way = async (list) => {
    process.env.NO_PROXY = list;
    const before = through.seen.length;
    const outcome = await call(orgo(`http://${ELSEWHERE}:${port}`), ...CLICK);
    // Without the proxy the name does not resolve.
    assert.equal(outcome.ok, through.seen.length > before, outcome.error?.message);
    return outcome.ok ? "proxy" : "direct";
  };
  environment(t, { HTTP_PROXY: `http://127.0.0.1:${through.port}`, NO_PROXY: "" });
  for (const list of [
    "*",
    "invalid",
    ".invalid",
    `a.test ${ELSEWHERE}`,
    `${ELSEWHERE}:${port}`,
    `a,${ELSEWHERE.toUpperCase()}.`,
  ]) {
    assert.equal(await way(list), "direct", list);
  }
  for (const list of ["", "127.0.0.1", "here.invalid", `${ELSEWHERE}:1`, "there.invalid.test"]) {
    assert.equal(await way(list), "proxy", list);
  }
});

test("an error of a proxy names the proxy without its password, and nothing was delivered", async (t) => {
  const { origin } = await secure(t);
  const through = await proxy(t, "407 Proxy Authentication Required");
  environment(t, { HTTPS_PROXY: `http://user:hunter2@127.0.0.1:${through.port}`, NO_PROXY: "<-loopback>" });
  const { error } = await call(orgo(origin), ...CLICK);
  assert.equal(error.delivered, "no");
  const named = `the proxy 127\\.0\\.0\\.1:${through.port} of HTTPS_PROXY: .*: 407 Proxy Authentication Required`;
  assert.match(error.message, new RegExp(`${named}.*check the user name and the password in HTTPS_PROXY`));
  assert.ok(!error.message.includes("hunter2"));
});

test("the error of a proxy contains its status and its own reason, for calls and channels", async (t) => {
  const { origin } = await secure(t);
  const through = await proxy(t, "403 Not For You");
  environment(t, { HTTPS_PROXY: `http://127.0.0.1:${through.port}`, NO_PROXY: "<-loopback>" });
  const { error } = await call(orgo(origin), ...CLICK);
  const refused = /it refused CONNECT localhost:\d+: 403 Not For You/;
  assert.match(error.message, refused);
  assert.equal(error.delivered, "no");
  const terminal = open(orgo(origin), "terminal", 0, {}, { connection_url: origin });
  const state = await status(terminal, "open", "reconnecting", "closed");
  assert.match(state.cause.message, refused);
  terminal.close();
});

for (const [name, answer] of [
  ["does not respond to CONNECT", () => {}],
  ["opens a tunnel to a server that does not respond", (socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n")],
]) {
  test(`if a proxy ${name}, the call times out and nothing was delivered`, async (t) => {
    const server = createServer();
    server.on("connect", (_, socket) => {
      socket.on("error", () => {});
      answer(socket);
    });
    t.after(() => server.closeAllConnections());
    const port = await listen(t, server);
    environment(t, { HTTPS_PROXY: `http://127.0.0.1:${port}` });
    const { error } = await call(orgo(`https://${ELSEWHERE}`), CLICK[0], CLICK[1], { max_retries: 0, timeout: 200 });
    assert.equal(error.kind, "timeout");
    assert.equal(error.delivered, "no");
    assert.match(error.message, /no connection within 200 ms/);
  });
}

test("a malformed proxy variable is named, without its value", async (t) => {
  environment(t, { HTTPS_PROXY: ":::hunter2" });
  const { error } = await call(orgo(`https://${ELSEWHERE}`), ...CLICK);
  assert.equal(error.delivered, "no");
  assert.match(error.message, /HTTPS_PROXY must be the URL of a proxy, such as http:/);
  assert.ok(!error.message.includes("hunter2"));
});

test("a proxy may be reached by TLS", async (t) => {
  const { ca, key, cert } = certificate(t);
  const port = await serve(t, createServer());
  const seen = [];
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) });
  server.on("request", ({ url, headers }, response) => {
    seen.push([url, headers["proxy-authorization"]]);
    response.end('{"success":true}');
  });
  const through = await listen(t, server);
  environment(t, { NODE_EXTRA_CA_CERTS: ca, HTTP_PROXY: `https://user:pa%40ss@localhost:${through}` });
  assert.equal((await call(orgo(`http://${ELSEWHERE}:${port}`), ...CLICK)).ok, true);
  const credentials = `Basic ${Buffer.from("user:pa@ss").toString("base64")}`;
  assert.deepEqual(seen, [[`http://${ELSEWHERE}:${port}/api/computers/c1/click`, credentials]]);
});

/** Starts a SOCKS5 proxy (RFC 1928) that records the targets. With `pair`, it requires this user name and password (RFC 1929). */
async function socks(test, pair) {
  const seen = [];
  const server = createTcpServer(async (socket) => {
    socket.on("error", () => {});
    const bytes = async (count) => {
      let piece = socket.read(count);
      for (; piece === null; piece = socket.read(count)) await once(socket, "readable");
      return piece;
    };
    const [, methods] = await bytes(2);
    await bytes(methods);
    socket.write(Buffer.from([5, pair ? 2 : 0]));
    if (pair) {
      const text = async () => (await bytes((await bytes(1))[0])).toString();
      await bytes(1);
      const given = `${await text()}:${await text()}`;
      socket.write(Buffer.from([1, given === pair ? 0 : 1]));
      if (given !== pair) return socket.end();
    }
    const [, , , kind] = await bytes(4);
    const host = kind === 3 ? (await bytes((await bytes(1))[0])).toString() : [...(await bytes(kind === 1 ? 4 : 16))].join(".");
    const port = (await bytes(2)).readUInt16BE();
    seen.push(`${host}:${port}`);
    const target = connect(port, host === ELSEWHERE ? "127.0.0.1" : host, () => {
      socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      target.pipe(socket).pipe(target);
    });
    target.on("error", () => socket.destroy());
    socket.on("close", () => target.destroy());
  });
  return { seen, port: await listen(test, server) };
}

test("a SOCKS5 proxy carries plain and secure calls and channels", async (t) => {
  const port = await serve(t, createServer());
  const { ca, origin, port: securePort } = await secure(t);
  const through = await socks(t, "user:pa@ss");
  environment(t, {
    NODE_EXTRA_CA_CERTS: ca,
    ALL_PROXY: `socks5h://user:pa%40ss@127.0.0.1:${through.port}`,
    NO_PROXY: "<-loopback>",
  });
  for (const place of [`http://${ELSEWHERE}:${port}`, origin]) {
    const client = orgo(place);
    assert.equal((await call(client, ...CLICK)).ok, true);
    await echo(client, place);
  }
  const names = [`${ELSEWHERE}:${port}`, `localhost:${securePort}`];
  assert.deepEqual(
    through.seen,
    names.flatMap((name) => [name, name]),
  );
});

test("with socks5 the names are resolved here, with socks5h by the proxy", async (t) => {
  const port = await serve(t, createServer());
  const through = await socks(t);
  environment(t, { ALL_PROXY: `socks5://127.0.0.1:${through.port}`, NO_PROXY: "<-loopback>" });
  assert.equal((await call(orgo(`http://localhost:${port}`), ...CLICK)).ok, true);
  assert.match(through.seen[0], /^(127\.0\.0\.1|[0.]+1):\d+$/);
  const { error } = await call(orgo(`http://${ELSEWHERE}:${port}`), ...CLICK);
  assert.match(error.message, /the proxy 127\.0\.0\.1:\d+ of ALL_PROXY: .*resolved/);
  assert.equal(error.delivered, "no");
});

test("a SOCKS5 proxy that refuses the password is named without it", async (t) => {
  const through = await socks(t, "user:right");
  environment(t, { ALL_PROXY: `socks5h://user:hunter2@127.0.0.1:${through.port}` });
  const { error } = await call(orgo(`http://${ELSEWHERE}`), ...CLICK);
  assert.equal(error.delivered, "no");
  assert.match(error.message, /the proxy 127\.0\.0\.1:\d+ of ALL_PROXY: .*credentials not accepted/);
  assert.ok(!error.message.includes("hunter2"));
});

test("an unsupported kind of proxy is an error", async (t) => {
  environment(t, { ALL_PROXY: "socks4://user:hunter2@127.0.0.1:1" });
  const { error } = await call(orgo("http://elsewhere.invalid"), ...CLICK);
  assert.equal(error.delivered, "no");
  assert.match(error.message, /ALL_PROXY.*socks4.*only http, https, socks5 and socks5h/);
  assert.ok(!error.message.includes("hunter2"));
});

test("the error of an unreachable proxy names its variable", async (t) => {
  environment(t, { HTTPS_PROXY: "http://user:hunter2@127.0.0.1:9", HTTP_PROXY: "127.0.0.1:9" });
  for (const [origin, variable] of [
    [`https://${ELSEWHERE}`, "HTTPS_PROXY"],
    [`http://${ELSEWHERE}`, "HTTP_PROXY"],
  ]) {
    const { error } = await call(orgo(origin), ...CLICK);
    assert.equal(error.delivered, "no");
    assert.match(error.message, new RegExp(`the proxy 127\\.0\\.0\\.1:9 of ${variable}: .*refused`));
    assert.ok(!error.message.includes("hunter2"));
  }
});
