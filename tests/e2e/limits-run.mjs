// Runs the tests of limits (limits.mjs) in this process with one binding.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { lateness, limits } from "./limits.mjs";
import { startLimitsServer } from "./limits-server.mjs";

const COUNT = process.env.ORGO_FULL === "1" ? 200 : 20;

/** @param {"native" | "wasm"} kind */
export function testLimits(kind) {
  describe(`limits through the ${kind} binding`, () => {
    let server, env;
    before(async () => {
      process.env.ORGO_BINDING = kind;
      const sdk = await import("orgo-sdk");
      assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
      server = await startLimitsServer();
      env = { sdk, server: server.url, deadUrl: server.deadUrl, reportsSending: kind === "native" };
    });
    after(() => server?.close());
    for (const [name, run] of Object.entries(limits)) test(name, { timeout: 60_000 }, () => run(env));
    test("operations do not end too early", { timeout: 300_000 }, async () => printLateness(kind, await lateness(env, COUNT)));
  });
}

/** Prints how much later than their limits the calls ended. */
export function printLateness(platform, late) {
  const ms = (value) => `${value.toFixed(1)} ms`;
  for (const [kind, { median, worst }] of Object.entries(late)) {
    console.log(`  ${platform}, ${COUNT} times: ${kind} ended ${ms(median)} after its limit (median), ${ms(worst)} (maximum)`);
  }
}

export { COUNT };
