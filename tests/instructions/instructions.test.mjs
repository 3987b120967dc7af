// Counts the instructions of the core's hot paths, and compares them with those of `baseline.json`. Unlike a time, the number
// does not depend on the machine's speed or load. `node tests/instructions/write.mjs` writes the baseline after a change.
import assert from "node:assert/strict";
import { test } from "node:test";
import baseline from "./baseline.json" with { type: "json" };
import { build, compiler, count } from "./count.mjs";

const TOLERANCE = 0.03;

test("the hot paths need as many instructions as in the baseline", { timeout: 900_000 }, async (t) => {
  const here = await compiler();
  // Another compiler generates other code, so the numbers cannot be compared.
  if (here !== baseline.compiler) return t.skip(`the baseline was made with ${baseline.compiler}, this is ${here}`);
  await build();
  for (const [name, expected] of Object.entries(baseline.instructions)) {
    await t.test(name, async () => {
      const found = await count(name);
      const change = found / expected - 1;
      const text = `${name} needs ${found} instructions, ${(change * 100).toFixed(1)} % more than the baseline (${expected})`;
      const advice = "if the change is intended, run `node tests/instructions/write.mjs`";
      assert.ok(Math.abs(change) <= TOLERANCE, `${text}: ${advice}`);
    });
  }
});
