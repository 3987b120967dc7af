import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { buildDashboard } from "../build.mjs";
import { send, start, startOpened, waitForOutput } from "./process.mjs";

const KEY = "sk_live_never_to_be_seen";
/** An unreachable service: no process listens on port 9, which is reserved for the discard protocol. */
const UNREACHABLE = "http://127.0.0.1:9/api";

describe("the dashboard's server", () => {
  let server;
  let port;

  const request = (path, options) => send(port, path, options);
  const page = (more = {}) => ({ cookie: server.cookie, ...more });
  const own = (more = {}) => page({ "x-orgo-dashboard": "1", "content-type": "application/json", ...more });

  before(async () => {
    await buildDashboard();
    server = await startOpened({ ORGO_API_KEY: KEY, ORGO_BASE_URL: UNREACHABLE, PORT: "0" });
    ({ port } = server);
  });

  after(() => server.stop());

  test("serves the page with a strict Content-Security-Policy", async () => {
    const { status, headers, text } = await request("/", { headers: page() });
    assert.equal(status, 200);
    assert.match(text, /<title>Orgo dashboard<\/title>/);
    const policy = headers["content-security-policy"];
    assert.match(policy, /default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'/);
    assert.match(policy, /connect-src 'self' ws:\/\/127\.0\.0\.1:9 wss:\/\/\*\.orgo\.dev;/);
    assert.equal(headers["x-content-type-options"], "nosniff");
  });

  test("serves no other files", async () => {
    for (const path of ["/../package.json", "/%2e%2e/package.json", "/.inputs", "/assets/", "/server.mjs"]) {
      assert.equal((await request(path, { headers: page() })).status, 404, path);
    }
  });

  test("serves compressed files to browsers that accept them, and responds with 304 for unchanged files", async () => {
    const get = (path, headers) => request(path, { headers: page(headers) });
    const index = await get("/", {});
    const [script] = /\/assets\/index-[\w-]+\.js/.exec(index.text);
    const plain = await get(script, {});
    assert.equal(plain.headers["content-encoding"], undefined);
    assert.equal(plain.headers.vary, "accept-encoding");
    for (const [accepted, encoding] of [
      ["gzip, deflate, br, zstd", "br"],
      ["gzip, deflate", "gzip"],
      ["br;q=0, gzip;q=0.5", "gzip"],
      ["BR", "br"],
      ["identity", undefined],
    ]) {
      const { status, headers } = await get(script, { "accept-encoding": accepted });
      assert.deepEqual([status, headers["content-encoding"]], [200, encoding], accepted);
      const length = Number(headers["content-length"]);
      assert.ok(encoding === undefined ? length === Buffer.byteLength(plain.text) : length < plain.text.length / 2);
      const again = await get(script, { "accept-encoding": accepted, "if-none-match": headers.etag });
      assert.deepEqual([again.status, again.text], [304, ""]);
    }
    const other = await get("/", { "if-none-match": plain.headers.etag });
    assert.equal(other.status, 200);
    assert.equal((await get("/", { "if-none-match": index.headers.etag })).status, 304);
    assert.equal((await get(`${script}.br`, {})).status, 404);
  });

  test("rejects invalid screenshot options", async () => {
    const screenshot = (query) => request(`/api/computers/some/screenshot?${query}`, { headers: own() });
    assert.equal((await screenshot("scale=small")).status, 400);
    assert.equal((await screenshot("scale=2")).status, 400);
    assert.equal((await screenshot("format=gif")).status, 400);
    assert.equal((await screenshot("format=jpeg&scale=0.5")).status, 502);
  });

  test("rejects other host names and origins", async () => {
    const api = "/api/service";
    assert.equal((await request(api, { headers: own() })).status, 200);
    assert.equal((await request(api, { headers: own({ host: `localhost:${port}` }) })).status, 200);
    assert.equal((await request(api, { headers: own({ host: `evil.example:${port}` }) })).status, 421);
    assert.equal((await request("/", { headers: page({ host: `evil.example:${port}` }) })).status, 421);
    assert.equal((await request(api, { headers: own({ origin: "http://127.0.0.1:1" }) })).status, 403);
    assert.equal((await request(api, { headers: own({ origin: "null" }) })).status, 403);
    assert.equal((await request(api, { headers: own({ origin: `http://127.0.0.1:${port}` }) })).status, 200);
    assert.equal((await request(api, { headers: page() })).status, 403, "without the page's header");
  });

  test("rejects requests from other sites, except links", async () => {
    for (const site of ["cross-site", "same-site"]) {
      const from = (mode) => ({ "sec-fetch-site": site, "sec-fetch-mode": mode });
      assert.equal((await request("/api/service", { headers: own(from("cors")) })).status, 403);
      assert.equal((await request("/api/service", { headers: own(from("navigate")) })).status, 403);
      assert.equal((await request("/icon.svg", { headers: page(from("no-cors")) })).status, 403);
      assert.equal((await request("/", { headers: page(from("navigate")) })).status, 200);
    }
    assert.equal((await request("/api/service", { headers: own({ "sec-fetch-site": "same-origin" }) })).status, 200);
  });

  test("rejects CORS preflights", async () => {
    const { status, headers } = await request("/api/service", {
      method: "OPTIONS",
      headers: page({ origin: "http://evil.example", "access-control-request-headers": "x-orgo-dashboard" }),
    });
    assert.equal(status, 403);
    assert.equal(headers["access-control-allow-origin"], undefined);
  });

  test("rejects long and malformed bodies", async () => {
    const type = (body, more) => request("/api/computers/some/type", { method: "POST", headers: own(more), body });
    assert.equal((await type(JSON.stringify({ text: "x".repeat(300_000) }))).status, 413);
    assert.equal((await type("{")).status, 400);
    assert.equal((await type("[]")).status, 400);
    for (const [open, close] of ["[]", ['{"a":', "}"]]) {
      const deep = `{"text":${open.repeat(40_000)}1${close.repeat(40_000)}}`;
      assert.equal((await type(deep)).status, 400, "deeply nested");
      const click = await request("/api/computers/some/click", { method: "POST", headers: own(), body: deep });
      assert.equal(click.status, 400, "deeply nested parameters of an action");
    }
    assert.equal((await type("{}", { "content-type": "text/plain" })).status, 415);
    assert.equal((await request("/api/computers/some/explode", { method: "POST", headers: own() })).status, 404);
  });

  test("accepts files of up to 10 MiB with percent-encoded names", async () => {
    const upload = (name, length) =>
      request(`/api/computers/some/files/${name}`, {
        method: "POST",
        headers: own({ "content-type": "text/plain" }),
        body: Buffer.alloc(length),
      });
    const limit = 10 * 1024 * 1024;
    assert.equal((await upload("a.txt", limit + 1)).status, 413);
    assert.equal((await upload("%ff", 1)).status, 400);
    // The headers are already sent, so the last line of the response has the error.
    const { status, headers, text } = await upload("a.txt", limit);
    assert.deepEqual([status, headers["content-type"]], [200, "application/x-ndjson"]);
    const { error, timing } = JSON.parse(text);
    assert.deepEqual([error.name, error.delivered], ["ConnectionError", "no"]);
    assert.match(timing, /^files\.upload;dur=[\d.]+;desc="ConnectionError"$/);
    assert.ok(!text.includes(KEY));
  });

  test("describes SDK errors and never exposes the API key", async () => {
    const rejected = await request("/api/computers/some/click", { method: "POST", headers: own(), body: '{"x":-1,"y":0}' });
    assert.equal(rejected.status, 400);
    const { error } = JSON.parse(rejected.text);
    assert.deepEqual([error.name, error.kind, error.field, error.delivered], ["InvalidParameterError", "encode", "x", "no"]);

    const unreachable = await request("/api/computers/some/click", { method: "POST", headers: own(), body: '{"x":1,"y":0}' });
    assert.equal(unreachable.status, 502);
    assert.deepEqual(
      [JSON.parse(unreachable.text).error.name, JSON.parse(unreachable.text).error.delivered],
      ["ConnectionError", "no"],
    );
    assert.match(unreachable.headers["server-timing"], /^computers\.click;dur=[\d.]+;desc="ConnectionError"$/);
    assert.equal(unreachable.headers["cache-control"], "no-store");
    for (const { text, headers } of [rejected, unreachable]) assert.ok(!(text + JSON.stringify(headers)).includes(KEY));
  });
});

describe("the dashboard's settings", () => {
  const cases = [
    ["a missing API key", {}, /ORGO_API_KEY is not set/],
    ["an invalid port", { ORGO_API_KEY: KEY, PORT: "http" }, /PORT must be a number/],
    ["an invalid base URL", { ORGO_API_KEY: KEY, ORGO_BASE_URL: "orgo" }, /ORGO_BASE_URL must be a valid URL/],
  ];
  for (const [name, environment, expected] of cases) {
    test(`${name} is reported as an error`, async () => {
      const child = start(environment);
      const ended = once(child, "exit");
      await waitForOutput(child, "stderr", expected);
      assert.deepEqual(await ended, [1, null]);
    });
  }
});
