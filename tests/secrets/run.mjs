// Searches all values that a program can print for secrets, in this process with one binding.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";
import { startEchoServer } from "./echo-server.mjs";
import { findSecrets, SECRETS } from "./forms.mjs";
import { allTexts, provoke } from "./provoke.mjs";

/** The kinds of errors that must occur. `binding` occurs because Node cannot play audio. */
const KINDS = ["aborted", "binding", "closed", "computer", "decode", "encode", "server", "timeout", "transport"];
const LIMIT = { timeout: 120_000 };

/** @param {"native" | "wasm"} kind */
export function testSecrets(kind) {
  describe(`secrets through the ${kind} binding`, () => {
    let server, values, env;
    before(async () => {
      process.env.ORGO_BINDING = kind;
      const sdk = await import("orgo-sdk");
      assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
      server = await startEchoServer();
      env = { sdk, server: server.url, deadUrl: server.deadUrl };
    });
    after(() => server?.close());

    test("every kind of error occurs", LIMIT, async () => {
      values = await provoke(env);
      const errors = values.map(({ value }) => value).filter((value) => value instanceof env.sdk.OrgoError);
      assert.deepEqual([...new Set(errors.map((error) => error.kind))].sort(), KINDS);
    });
    test("a program can print no secrets", () => {
      assertClean(values, (value) => [
        ...allTexts(env, value),
        inspect(value, { depth: 10, showHidden: true }),
        inspect(value, { depth: 10, compact: false, sorted: true }),
      ]);
    });
    test("the values contain masked secrets", () => {
      const text = values.flatMap(({ value }) => allTexts(env, value)).join("\n");
      assert.ok(text.split("***").length > 100);
    });
    test("the password is URL-encoded in the address of a socket", () => {
      assert.notEqual(server.targets.length, 0);
      for (const target of server.targets) {
        assert.equal(new URL(target, "http://server").searchParams.get("token"), SECRETS.password);
        assert.ok(target.includes(`token=${encodeURIComponent(SECRETS.password)}`), target);
      }
    });
    if (kind === "native") {
      test("errors do not contain the credentials of a proxy", LIMIT, async (context) => {
        const proxy = new URL(server.deadUrl);
        Object.assign(proxy, { username: "user", password: SECRETS.password });
        process.env.http_proxy = proxy.href;
        context.after(() => delete process.env.http_proxy);
        const orgo = new env.sdk.Orgo({ apiKey: SECRETS.apiKey, baseUrl: "http://unknown.invalid/api", maxRetries: 0 });
        const error = await orgo.computers.get("c").catch((error) => error);
        assert.match(error.message, /the proxy 127\.0\.0\.1:\d+/);
        assertClean([{ what: "a proxy", value: error }], (value) => allTexts(env, value));
      });
    }
  });
}

/** Fails if a value contains a secret. The message contains the names of such values. */
export function assertClean(values, textsOf) {
  const leaks = values.flatMap(({ what, value }) =>
    textsOf(value).flatMap((text) => findSecrets(text).map((found) => `${what}: ${found}: ${text.slice(0, 2000)}`)),
  );
  assert.deepEqual(leaks.slice(0, 5), [], `${leaks.length} leaks in ${values.length} values`);
}
