// The messages about proxies of WebAssembly in Node. node/test/routes.test.mjs compares them with those of the addon.
import assert from "node:assert/strict";
import test from "node:test";
import { source } from "./support/source.mjs";

const { explainFailure, proxyFor, proxyWarning } = source;

const VARIABLES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"].flatMap((name) => [name, name.toUpperCase()]);

/** Sets the given proxy variables, and unsets the others, during a test. */
function environment(t, variables) {
  const before = Object.fromEntries([...VARIABLES, "NODE_USE_ENV_PROXY"].map((name) => [name, process.env[name]]));
  const set = (all) => {
    for (const [name, value] of Object.entries(all)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  set({ ...Object.fromEntries(Object.keys(before).map((name) => [name])), ...variables });
  t.after(() => set(before));
}

test("the proxy of a URL is found, and whether fetch uses it", () => {
  const plain = "http://orgo.test/api";
  const secure = "https://orgo.test/api";
  const used = (name) => ({ name, used: true });
  const ignored = (name) => ({ name, used: false });
  const cases = [
    [secure, {}, undefined, undefined],
    [
      secure,
      { HTTPS_PROXY: "http://user:hunter2@p:1/x" },
      ignored("the proxy p:1 of HTTPS_PROXY"),
      used("the proxy p:1 of HTTPS_PROXY"),
    ],
    [
      secure,
      { HTTPS_PROXY: "p:1", https_proxy: "q:2" },
      ignored("the proxy q:2 of https_proxy"),
      used("the proxy q:2 of https_proxy"),
    ],
    ["wss://orgo.test/", { HTTPS_PROXY: "p:1" }, ignored("the proxy p:1 of HTTPS_PROXY"), used("the proxy p:1 of HTTPS_PROXY")],
    // A rule of undici only; the addon and curl do not have it.
    [secure, { HTTP_PROXY: "p:1" }, undefined, used("the proxy p:1 of HTTP_PROXY")],
    [plain, { HTTP_PROXY: "p:1" }, ignored("the proxy p:1 of HTTP_PROXY"), used("the proxy p:1 of HTTP_PROXY")],
    [
      plain,
      { ALL_PROXY: "socks5://u:hunter2@p:1" },
      ignored("the proxy p:1 of ALL_PROXY"),
      ignored("the proxy p:1 of ALL_PROXY"),
    ],
    [plain, { HTTP_PROXY: "http://u:p@ss@p:1" }, ignored("the proxy p:1 of HTTP_PROXY"), used("the proxy p:1 of HTTP_PROXY")],
    [plain, { HTTP_PROXY: "p:1", NO_PROXY: "x, orgo.test" }, undefined, undefined],
    [plain, { HTTP_PROXY: "p:1", no_proxy: "*" }, undefined, undefined],
    [secure, { HTTPS_PROXY: "p:1", NO_PROXY: ".test:443" }, undefined, undefined],
    [
      secure,
      { HTTPS_PROXY: "p:1", NO_PROXY: "orgo.test:80 go.test" },
      ignored("the proxy p:1 of HTTPS_PROXY"),
      used("the proxy p:1 of HTTPS_PROXY"),
    ],
    // A proxy is never reported as unused for an address of the local machine, but undici uses proxies even for these addresses.
    ["http://127.0.0.1:8800/", { HTTP_PROXY: "p:1" }, undefined, used("the proxy p:1 of HTTP_PROXY")],
    ["http://[::1]:8800/", { HTTP_PROXY: "p:1", NO_PROXY: "[::1]" }, undefined, undefined],
    ["http://c.localhost:8800/", { ALL_PROXY: "p:1" }, undefined, undefined],
  ];
  for (const [url, variables, alone, followed] of cases) {
    assert.deepEqual(proxyFor(url, variables, false), alone, `${url} ${JSON.stringify(variables)}`);
    assert.deepEqual(proxyFor(url, variables, true), followed, `${url} ${JSON.stringify(variables)}, followed`);
  }
});

test("a failure names its causes and the unused proxy without its password", (t) => {
  environment(t, { HTTPS_PROXY: "http://user:hunter2@p:1" });
  const cause = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:443"), { code: "ECONNREFUSED" });
  const error = new TypeError("fetch failed", { cause });
  const found = explainFailure("https://orgo.test/api/computers", error);
  assert.equal(found.code, "ECONNREFUSED");
  assert.match(
    found.message,
    /^fetch failed: connect ECONNREFUSED 10\.0\.0\.1:443 \(the proxy p:1 of HTTPS_PROXY is not used: .*NODE_USE_ENV_PROXY=1/,
  );
  assert.match(
    explainFailure("wss://orgo.test/", undefined).message,
    /^the connection could not be opened \(the proxy p:1 of HTTPS_PROXY is not used/,
  );
  assert.match(proxyWarning("https://orgo.test/api"), /^the proxy p:1 of HTTPS_PROXY is not used/);
  for (const local of ["http://127.0.0.1:8800/api", "https://localhost/api"]) {
    assert.equal(proxyWarning(local), undefined);
    assert.equal(explainFailure(local, error).message, "fetch failed: connect ECONNREFUSED 10.0.0.1:443");
  }
  // If several addresses fail, the message is empty.
  const failed = (errors) => ({ cause: Object.assign(new AggregateError(errors), { code: "ECONNREFUSED" }) });
  const several = new TypeError("fetch failed", failed([cause]));
  assert.equal(explainFailure("http://localhost/", several).message, "fetch failed: connect ECONNREFUSED 10.0.0.1:443");
  const none = new TypeError("fetch failed", failed([]));
  assert.equal(explainFailure("http://localhost/", none).message, "fetch failed: ECONNREFUSED");
  const round = new Error("round");
  round.cause = round;
  assert.equal(explainFailure("http://localhost/", round).message, "round");
  assert.deepEqual(explainFailure("ws://localhost/", new Error("Unexpected server response: 403")), {
    message: "Unexpected server response: 403",
    status: 403,
    unsent: false,
  });
});

test("a failure before anything was sent is recognized, also through the causes of fetch", () => {
  const unsent = (fields, message = "m") => {
    const cause = Object.assign(new Error(message), fields);
    return explainFailure("http://localhost/", new TypeError("fetch failed", { cause })).unsent;
  };
  for (const fields of [
    { syscall: "connect", code: "ECONNREFUSED" },
    { syscall: "connect", code: "ETIMEDOUT" },
    { syscall: "getaddrinfo", code: "ENOTFOUND" },
    { code: "UND_ERR_CONNECT_TIMEOUT" },
    { code: "CERT_HAS_EXPIRED" },
    { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" },
    { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
    { code: "ERR_SSL_WRONG_VERSION_NUMBER" },
  ]) {
    assert.equal(unsent(fields), true, JSON.stringify(fields));
  }
  assert.equal(unsent({ code: "UND_ERR_ABORTED" }, "Proxy response (403) !== 200 when HTTP Tunneling"), true);
  // The server may have received the request before these failures.
  for (const fields of [
    { syscall: "read", code: "ECONNRESET" },
    { syscall: "write", code: "EPIPE" },
    { code: "UND_ERR_SOCKET" },
    { code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" },
    {},
  ]) {
    assert.equal(unsent(fields), false, JSON.stringify(fields));
  }
});

test("a used proxy is named first, and local addresses behind it cause a warning", (t) => {
  environment(t, { HTTP_PROXY: "http://user:hunter2@p:1" });
  const place = Symbol.for("undici.globalDispatcher.1");
  const before = globalThis[place];
  globalThis[place] = new (class EnvHttpProxyAgent {})();
  t.after(() => (globalThis[place] = before));
  assert.equal(explainFailure("http://orgo.test/", new Error("refused")).message, "the proxy p:1 of HTTP_PROXY: refused");
  assert.equal(proxyWarning("http://orgo.test/"), undefined);
  assert.match(
    proxyWarning("http://127.0.0.1:8800/api"),
    /127\.0\.0\.1 leave this machine through the proxy p:1 of HTTP_PROXY: add 127\.0\.0\.1 to NO_PROXY/,
  );
});
