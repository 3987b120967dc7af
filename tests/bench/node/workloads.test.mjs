// Runs each workload of the Node benchmark once, with a small size. Checks the results, not the times.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { measure, startPeer } from "./peer.mjs";
import { workloads } from "./variants.mjs";

let peer;
before(async () => (peer = await startPeer()));
after(() => peer?.stop());

for (const [name, { base, variants }] of Object.entries(workloads(true))) {
  test(name, async () => {
    for (const variant of Object.keys(variants)) {
      const { operations, lost, cpu, main } = await measure(name, variant, peer.origin, { quick: true });
      assert.ok(operations > 0 && cpu > 0 && main > 0, variant);
      assert.equal(lost, 0, variant);
    }
    assert.ok(base in variants);
  });
}
