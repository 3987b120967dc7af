// Runs each workload of the browser benchmark once, with a small size. Checks the results, not the times.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startBench } from "./measure.mjs";
import { workloads } from "./workloads.mjs";

let bench;
before(async () => (bench = await startBench()));
after(() => bench?.stop());

for (const [name, workload] of Object.entries(workloads(true))) {
  test(name, async () => {
    for (const variant of workload.variants) {
      const { operations, lost, cpu, main } = await bench.measure(workload, variant);
      assert.ok(operations > 0 && cpu > 0 && main > 0, variant);
      assert.equal(lost, 0, variant);
    }
    assert.ok(workload.variants.includes(workload.base));
  });
}
