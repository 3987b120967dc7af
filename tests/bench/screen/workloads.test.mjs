// Runs each workload of the benchmark of the live screen once, with a small size. Checks the results, not the times.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startBench } from "./measure.mjs";
import { VARIANTS, workloads } from "./workloads.mjs";

let bench;
before(async () => (bench = await startBench()));
after(() => bench?.stop());

for (const [name, workload] of Object.entries(workloads(true))) {
  test(name, { timeout: 300_000 }, async () => {
    const results = await bench.measure(workload);
    for (const variant of VARIANTS) {
      for (const [what, value] of Object.entries(results[variant])) {
        // On an overloaded machine, the effect of an event may follow after the next event.
        if (what !== "lost") assert.ok(value > 0, `${variant}: ${what} is ${value}`);
      }
    }
  });
}
