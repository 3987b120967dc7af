// Tests access control: the server accepts only clients that have the key or the cookie of this server process.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { buildDashboard } from "../build.mjs";
import { send, startOpened } from "./process.mjs";

const ENVIRONMENT = { ORGO_API_KEY: "sk_live_never_to_be_seen", ORGO_BASE_URL: "http://127.0.0.1:9/api", PORT: "0" };
const OWN = { "x-orgo-dashboard": "1" };
const CONNECTION = "/api/computers/some/connection";
/** The `setpriv` arguments that select the account `nobody`. */
const NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups"];

/** Returns why the test cannot send requests from another account, or `false` if it can. */
function cannotSwitchAccount() {
  if (process.platform !== "linux" || process.getuid() !== 0) return "only root on Linux can become another account";
  return ["setpriv", "curl"].every((name) => spawnSync(name, ["--version"]).status === 0) ? false : "needs setpriv and curl";
}

describe("the access key", () => {
  let server;
  let asset;
  /** The text of all responses, without the cookie. */
  let responses = "";

  async function request(path, options) {
    const response = await send(server.port, path, options);
    const { "set-cookie": cookie, ...headers } = response.headers;
    responses += JSON.stringify(headers) + response.text;
    return response;
  }

  before(async () => {
    await buildDashboard();
    server = await startOpened(ENVIRONMENT);
    const { text } = await request("/", { headers: { cookie: server.cookie } });
    [asset] = /\/assets\/[\w.-]+\.js/.exec(text);
  });

  after(() => server.stop());

  test("sets a strict cookie and redirects to a URL without the key", async () => {
    for (const method of ["GET", "HEAD"]) {
      const { status, headers, text } = await request(`/?key=${server.key}`, { method });
      assert.deepEqual([status, headers.location, text], [303, "/", ""]);
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["referrer-policy"], "no-referrer");
      const [cookie, ...attributes] = headers["set-cookie"][0].split("; ");
      assert.match(cookie, new RegExp(`^orgo-dashboard-${server.port}=[\\w-]{43}$`));
      assert.deepEqual(attributes, ["HttpOnly", "SameSite=Strict", "Path=/"]);
      assert.ok(!cookie.includes(server.key));
    }
    const headers = { cookie: server.cookie };
    assert.equal((await request("/", { headers })).status, 200);
    assert.equal((await request("/", { method: "HEAD", headers })).status, 200);
    assert.equal((await request(asset, { headers })).status, 200);
    assert.equal((await request("/api/service", { headers: { ...headers, ...OWN } })).status, 200);
  });

  test("redirects by an HTML page if another site started the navigation", async () => {
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    const { status, headers: fields, text } = await request(`/?key=${server.key}`, { headers });
    assert.equal(status, 200);
    assert.equal(fields["set-cookie"].length, 1);
    assert.match(text, /<meta http-equiv="refresh" content="0; url=\/" \/>/);
  });

  test("is required for every request", async () => {
    for (const path of ["/", "/index.html", "/icon.svg", asset, "/missing", "/api", "/api/service", CONNECTION, "//", "*"]) {
      for (const method of ["GET", "HEAD", "POST", "DELETE", "OPTIONS"]) {
        const { status, headers } = await request(path, { method, headers: OWN });
        assert.equal(status, 403, `${method} ${path}`);
        assert.equal(headers["set-cookie"], undefined);
        assert.equal(headers["cache-control"], "no-store");
      }
    }
  });

  test("a 403 response explains how to open the dashboard: as JSON for the API, as HTML for a page", async () => {
    const api = await request("/api/service", { headers: { ...OWN, accept: "text/html" } });
    assert.equal(api.headers["content-type"], "application/json");
    const { error } = JSON.parse(api.text);
    assert.deepEqual([error.name, error.delivered], ["KeyRequired", "no"]);
    assert.match(error.message, /open the URL that `npm start` printed/);
    const page = await request("/", { headers: { accept: "text/html,*/*;q=0.8" } });
    assert.equal(page.status, 403);
    assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
    assert.match(page.text, /Open the URL that <code>npm start<\/code> printed/);
  });

  test("rejects wrong keys, and the right key on other paths", async () => {
    const { key } = server;
    const changed = (key[0] === "A" ? "B" : "A") + key.slice(1);
    const queries = [
      ...["key", "key=", "key=%", "key=%ff%00", `key=${changed}`, `key=${key}x`, `key=${key.slice(1)}`],
      ...[`key=${key}&key=${key}`, `key=${key}&key=b`, `key=a&key=${key}`, `KEY=${key}`, `key=%20${key}`],
      ...[`key=${"x".repeat(10_000)}`, `key=${"%00".repeat(3_000)}`, `key[]=${key}`, `?key=${key}`],
    ];
    for (const query of queries) {
      const { status, headers } = await request(`/?${query}`);
      assert.deepEqual([status, headers["set-cookie"]], [403, undefined], query);
    }
    for (const path of ["/index.html", "/api/service", "/api/", "//", asset]) {
      assert.equal((await request(`${path}?key=${key}`, { headers: OWN })).status, 403, path);
    }
    assert.equal((await request(`/?key=${key}`, { method: "POST" })).status, 403);
    assert.equal((await request(`/?key=${changed}`, { headers: { cookie: server.cookie } })).status, 403);
    const encoded = [...key].map((character) => `%${character.charCodeAt(0).toString(16)}`).join("");
    assert.equal((await request(`/?a=b&%6bey=${encoded}`)).status, 303, "the same key, percent-encoded");
  });

  test("accepts only its own cookie, in any position among other cookies", async () => {
    const [name, value] = server.cookie.split("=");
    const wrong = `${name}=${"A".repeat(43)}`;
    const status = async (cookie) => (await request("/", { headers: { cookie } })).status;
    const rejected = [
      ...["", "=", ";;;", "a", name, `${name}=`, wrong, `${name}=${value}x`, `${name}=${value.slice(1)}`],
      ...[`${name}="${value}"`, `${name}=%${value}`, `x${name}=${value}`, `${name} =${value}`, `orgo-dashboard-1=${value}`],
      ...[`${name}=${server.key}`, `${name.toUpperCase()}=${value}`, `a=${name}=${value}`, "é\x80=\xff", "=;".repeat(6_000)],
    ];
    for (const cookie of rejected) assert.equal(await status(cookie), 403, cookie);
    for (const cookie of [`${wrong}; ${name}=${value}`, `${name}=${value};${wrong}`, `;; a=b;  ${name}=${value} ;`]) {
      assert.equal(await status(cookie), 200, cookie);
    }
    assert.equal(await status([wrong, server.cookie]), 200, "in two headers");
    assert.equal(await status(`a=${"x".repeat(20_000)}`), 431, "a header that is too long");
    assert.equal(await status(server.cookie), 200, "the server still responds");
  });

  test("does not override the other checks", async () => {
    const path = `/?key=${server.key}`;
    assert.equal((await request(path, { headers: { host: `evil.example:${server.port}` } })).status, 421);
    assert.equal((await request(path, { headers: { origin: "http://evil.example" } })).status, 403);
    const embedded = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" };
    assert.equal((await request(path, { headers: embedded })).status, 403);
  });

  test("differs for each start of the server", async () => {
    const other = await startOpened(ENVIRONMENT);
    try {
      assert.notEqual(other.key, server.key);
      const value = server.cookie.split("=")[1];
      const cookie = `orgo-dashboard-${other.port}=${value}`;
      assert.equal((await send(other.port, "/", { headers: { cookie } })).status, 403);
      const both = `${server.cookie}; ${other.cookie}`;
      for (const { port } of [server, other]) {
        assert.equal((await send(port, "/", { headers: { cookie: both } })).status, 200);
      }
    } finally {
      await other.stop();
    }
  });

  test("the server closes the connection if a rejected request has an endless body", async () => {
    for (const path of ["/api/computers/some/files/large.bin", "/", `/?key=${server.key}`]) {
      const socket = connect(server.port, "127.0.0.1");
      const closed = once(socket, "close");
      let text = "";
      socket.setEncoding("latin1").on("data", (chunk) => (text += chunk));
      socket.write(`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: 9000000000\r\n\r\nsome`);
      await closed;
      assert.match(text, /^HTTP\/1\.1 403 /);
      responses += text;
    }
  });

  test("another account of the host has no access", { skip: cannotSwitchAccount() }, async () => {
    const run = promisify(execFile);
    const curl = async (path, ...args) => {
      const url = `http://127.0.0.1:${server.port}${path}`;
      const write = ["--silent", "--write-out", "\n%{http_code}", "--header", "x-orgo-dashboard: 1"];
      const { stdout } = await run("setpriv", [...NOBODY, "curl", ...write, ...args, url]);
      responses += stdout;
      return stdout.split("\n").at(-1);
    };
    for (const path of ["/", asset, "/api/service", "/api/computers", CONNECTION]) {
      assert.equal(await curl(path), "403", path);
    }
    assert.equal(await curl("/api/service", "--header", `cookie: ${server.cookie}`), "200", "with the cookie");
    // Every account can read the arguments of a process.
    const { stdout } = await run("setpriv", [...NOBODY, "cat", `/proc/${server.child.pid}/cmdline`]);
    assert.ok(!stdout.includes(server.key));
  });

  test("appears only in the printed line, and the cookie in no output", () => {
    const { stdout, stderr } = server.output;
    assert.equal(stdout, `${server.line}\n`);
    for (const secret of [server.key, server.cookie.split("=")[1]]) {
      assert.ok(!(responses + stderr).includes(secret));
    }
  });
});
