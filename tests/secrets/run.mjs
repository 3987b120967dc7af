// Looks for secrets in everything that a program can print, in this process through one binding.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";
import { startEchoServer } from "./echo-server.mjs";
import { findSecrets, SECRETS } from "./forms.mjs";
import { allTexts, provoke } from "./provoke.mjs";

/** Every kind of error; the addon and the module in Node cannot play sound, which is one of a binding. */
const KINDS = ["aborted", "binding", "closed", "computer", "decode", "encode", "server", "timeout", "transport"];
const LIMIT = { timeout: 120_000 };

/** @param {"native" | "wasm"} kind */
export function testSecrets(kind) {
  describe(`secrets through the ${kind} binding`, () => {
    let server, shown, world;
    before(async () => {
      process.env.ORGO_BINDING = kind;
      const sdk = await import("orgo-sdk");
      assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
      server = await startEchoServer();
      world = { sdk, server: server.url, nowhere: server.nowhere };
    });
    after(() => server?.close());

    test("every kind of error is provoked", LIMIT, async () => {
      shown = await provoke(world);
      const errors = shown.map(({ value }) => value).filter((value) => value instanceof world.sdk.OrgoError);
      assert.deepEqual([...new Set(errors.map((error) => error.kind))].sort(), KINDS);
    });
    test("what a program can print has no secret in it", () => {
      assertClean(shown, (value) => [
        ...allTexts(world, value),
        inspect(value, { depth: 10, showHidden: true }),
        inspect(value, { depth: 10, compact: false, sorted: true }),
      ]);
    });
    test("what is masked was there", () => {
      const text = shown.flatMap(({ value }) => allTexts(world, value)).join("\n");
      assert.ok(text.split("***").length > 100);
    });
    test("the password is encoded in the address of a socket", () => {
      assert.notEqual(server.targets.length, 0);
      for (const target of server.targets) {
        assert.equal(new URL(target, "http://server").searchParams.get("token"), SECRETS.password);
        assert.ok(target.includes(`token=${encodeURIComponent(SECRETS.password)}`), target);
      }
    });
    if (kind === "native") {
      test("the credentials of a proxy are not shown", LIMIT, async (context) => {
        const proxy = new URL(server.nowhere);
        Object.assign(proxy, { username: "user", password: SECRETS.password });
        process.env.http_proxy = proxy.href;
        context.after(() => delete process.env.http_proxy);
        const orgo = new world.sdk.Orgo({ apiKey: SECRETS.apiKey, baseUrl: "http://nowhere.invalid/api", maxRetries: 0 });
        const error = await orgo.computers.get("c").catch((error) => error);
        assert.match(error.message, /the proxy 127\.0\.0\.1:\d+/);
        assertClean([{ what: "a proxy", value: error }], (value) => allTexts(world, value));
      });
    }
  });
}

/** Fails with the names of what shows a secret. */
export function assertClean(shown, textsOf) {
  const leaks = shown.flatMap(({ what, value }) =>
    textsOf(value).flatMap((text) => findSecrets(text).map((found) => `${what}: ${found}: ${text.slice(0, 2000)}`)),
  );
  assert.deepEqual(leaks.slice(0, 5), [], `${leaks.length} leaks in ${shown.length} values`);
}
