// Acts out the tests of limits in this process, through one binding.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { lateness, limits } from "./limits.mjs";
import { startLimitsServer } from "./limits-server.mjs";

const COUNT = process.env.ORGO_FULL === "1" ? 200 : 20;

/** @param {"native" | "wasm"} kind */
export function testLimits(kind) {
  describe(`limits through the ${kind} binding`, () => {
    let server, world;
    before(async () => {
      process.env.ORGO_BINDING = kind;
      const sdk = await import("orgo-sdk");
      assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
      server = await startLimitsServer();
      world = { sdk, server: server.url, nowhere: server.nowhere, seesSending: kind === "native" };
    });
    after(() => server?.close());
    for (const [name, act] of Object.entries(limits)) test(name, { timeout: 60_000 }, () => act(world));
    test("how late limits are", { timeout: 300_000 }, async () => printLateness(kind, await lateness(world, COUNT)));
  });
}

/** Prints by how much limits were passed. */
export function printLateness(where, late) {
  const ms = (value) => `${value.toFixed(1)} ms`;
  for (const [kind, { median, worst }] of Object.entries(late)) {
    console.log(`  ${where}, ${COUNT} times: ${kind} ended ${ms(median)} past its limit, ${ms(worst)} at worst`);
  }
}

export { COUNT };
