// Who is served: whoever has the key of this start, and nobody else.
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
/** The account `nobody`. */
const NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups"];

/** Why a request of another account cannot be made here. */
function cannotBeAnother() {
  if (process.platform !== "linux" || process.getuid() !== 0) return "only root on Linux can become another account";
  return ["setpriv", "curl"].every((name) => spawnSync(name, ["--version"]).status === 0) ? false : "needs setpriv and curl";
}

describe("the key of a start", () => {
  let server;
  let asset;
  /** Everything that was answered, except the cookie. */
  let answers = "";

  async function ask(path, options) {
    const answer = await send(server.port, path, options);
    const { "set-cookie": cookie, ...headers } = answer.headers;
    answers += JSON.stringify(headers) + answer.text;
    return answer;
  }

  before(async () => {
    await buildDashboard();
    server = await startOpened(ENVIRONMENT);
    const { text } = await ask("/", { headers: { cookie: server.cookie } });
    [asset] = /\/assets\/[\w.-]+\.js/.exec(text);
  });

  after(() => server.stop());

  test("opens the dashboard by a strict cookie, and leads to an address without it", async () => {
    for (const method of ["GET", "HEAD"]) {
      const { status, headers, text } = await ask(`/?key=${server.key}`, { method });
      assert.deepEqual([status, headers.location, text], [303, "/", ""]);
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["referrer-policy"], "no-referrer");
      const [cookie, ...attributes] = headers["set-cookie"][0].split("; ");
      assert.match(cookie, new RegExp(`^orgo-dashboard-${server.port}=[\\w-]{43}$`));
      assert.deepEqual(attributes, ["HttpOnly", "SameSite=Strict", "Path=/"]);
      assert.ok(!cookie.includes(server.key));
    }
    const headers = { cookie: server.cookie };
    assert.equal((await ask("/", { headers })).status, 200);
    assert.equal((await ask("/", { method: "HEAD", headers })).status, 200);
    assert.equal((await ask(asset, { headers })).status, 200);
    assert.equal((await ask("/api/service", { headers: { ...headers, ...OWN } })).status, 200);
  });

  test("leads on by a page where another site started the navigation", async () => {
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    const { status, headers: fields, text } = await ask(`/?key=${server.key}`, { headers });
    assert.equal(status, 200);
    assert.equal(fields["set-cookie"].length, 1);
    assert.match(text, /<meta http-equiv="refresh" content="0; url=\/" \/>/);
  });

  test("without it everything is refused", async () => {
    for (const path of ["/", "/index.html", "/icon.svg", asset, "/missing", "/api", "/api/service", CONNECTION, "//", "*"]) {
      for (const method of ["GET", "HEAD", "POST", "DELETE", "OPTIONS"]) {
        const { status, headers } = await ask(path, { method, headers: OWN });
        assert.equal(status, 403, `${method} ${path}`);
        assert.equal(headers["set-cookie"], undefined);
        assert.equal(headers["cache-control"], "no-store");
      }
    }
  });

  test("a refusal says how to open the dashboard: the API in its own shape, a page in HTML", async () => {
    const api = await ask("/api/service", { headers: { ...OWN, accept: "text/html" } });
    assert.equal(api.headers["content-type"], "application/json");
    const { error } = JSON.parse(api.text);
    assert.deepEqual([error.name, error.delivered], ["KeyRequired", "no"]);
    assert.match(error.message, /open the address that `npm start` printed/);
    const page = await ask("/", { headers: { accept: "text/html,*/*;q=0.8" } });
    assert.equal(page.status, 403);
    assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
    assert.match(page.text, /address that\n<code>npm start<\/code> printed/);
  });

  test("no other key opens it, and none opens another path", async () => {
    const { key } = server;
    const changed = (key[0] === "A" ? "B" : "A") + key.slice(1);
    const queries = [
      ...["key", "key=", "key=%", "key=%ff%00", `key=${changed}`, `key=${key}x`, `key=${key.slice(1)}`],
      ...[`key=${key}&key=${key}`, `key=${key}&key=b`, `key=a&key=${key}`, `KEY=${key}`, `key=%20${key}`],
      ...[`key=${"x".repeat(10_000)}`, `key=${"%00".repeat(3_000)}`, `key[]=${key}`, `?key=${key}`],
    ];
    for (const query of queries) {
      const { status, headers } = await ask(`/?${query}`);
      assert.deepEqual([status, headers["set-cookie"]], [403, undefined], query);
    }
    for (const path of ["/index.html", "/api/service", "/api/", "//", asset]) {
      assert.equal((await ask(`${path}?key=${key}`, { headers: OWN })).status, 403, path);
    }
    assert.equal((await ask(`/?key=${key}`, { method: "POST" })).status, 403);
    assert.equal((await ask(`/?key=${changed}`, { headers: { cookie: server.cookie } })).status, 403);
    const encoded = [...key].map((character) => `%${character.charCodeAt(0).toString(16)}`).join("");
    assert.equal((await ask(`/?a=b&%6bey=${encoded}`)).status, 303, "the same key, written otherwise");
  });

  test("only its own cookie counts, wherever it is among others", async () => {
    const [name, value] = server.cookie.split("=");
    const wrong = `${name}=${"A".repeat(43)}`;
    const status = async (cookie) => (await ask("/", { headers: { cookie } })).status;
    const refused = [
      ...["", "=", ";;;", "a", name, `${name}=`, wrong, `${name}=${value}x`, `${name}=${value.slice(1)}`],
      ...[`${name}="${value}"`, `${name}=%${value}`, `x${name}=${value}`, `${name} =${value}`, `orgo-dashboard-1=${value}`],
      ...[`${name}=${server.key}`, `${name.toUpperCase()}=${value}`, `a=${name}=${value}`, "é\x80=\xff", "=;".repeat(6_000)],
    ];
    for (const cookie of refused) assert.equal(await status(cookie), 403, cookie);
    for (const cookie of [`${wrong}; ${name}=${value}`, `${name}=${value};${wrong}`, `;; a=b;  ${name}=${value} ;`]) {
      assert.equal(await status(cookie), 200, cookie);
    }
    assert.equal(await status([wrong, server.cookie]), 200, "in two headers");
    assert.equal(await status(`a=${"x".repeat(20_000)}`), 431, "longer than a header may be");
    assert.equal(await status(server.cookie), 200, "the server goes on");
  });

  test("does not stand above the other checks", async () => {
    const path = `/?key=${server.key}`;
    assert.equal((await ask(path, { headers: { host: `evil.example:${server.port}` } })).status, 421);
    assert.equal((await ask(path, { headers: { origin: "http://evil.example" } })).status, 403);
    const embedded = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" };
    assert.equal((await ask(path, { headers: embedded })).status, 403);
  });

  test("is another one for each start", async () => {
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

  test("a refused request cannot keep its connection by a body that does not end", async () => {
    for (const path of ["/api/computers/some/files/large.bin", "/", `/?key=${server.key}`]) {
      const socket = connect(server.port, "127.0.0.1");
      const closed = once(socket, "close");
      let text = "";
      socket.setEncoding("latin1").on("data", (chunk) => (text += chunk));
      socket.write(`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: 9000000000\r\n\r\nsome`);
      await closed;
      assert.match(text, /^HTTP\/1\.1 403 /);
      answers += text;
    }
  });

  test("another account of the host gets nothing", { skip: cannotBeAnother() }, async () => {
    const run = promisify(execFile);
    const curl = async (path, ...args) => {
      const url = `http://127.0.0.1:${server.port}${path}`;
      const write = ["--silent", "--write-out", "\n%{http_code}", "--header", "x-orgo-dashboard: 1"];
      const { stdout } = await run("setpriv", [...NOBODY, "curl", ...write, ...args, url]);
      answers += stdout;
      return stdout.split("\n").at(-1);
    };
    for (const path of ["/", asset, "/api/service", "/api/computers", CONNECTION]) {
      assert.equal(await curl(path), "403", path);
    }
    assert.equal(await curl("/api/service", "--header", `cookie: ${server.cookie}`), "200", "the cookie makes the difference");
    // What an account can read of a process of another one.
    const { stdout } = await run("setpriv", [...NOBODY, "cat", `/proc/${server.child.pid}/cmdline`]);
    assert.ok(!stdout.includes(server.key));
  });

  test("is in the printed line and nowhere else, nor is the cookie", () => {
    const { stdout, stderr } = server.output;
    assert.equal(stdout, `${server.line}\n`);
    for (const secret of [server.key, server.cookie.split("=")[1]]) {
      assert.ok(!(answers + stderr).includes(secret));
    }
  });
});
