// Compares the sizes of the files that a page downloads with their budgets in tests/budget.json.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { pageSizes } from "../bench/sizes.mjs";

const BUDGETS = "tests/budget.json";
const root = fileURLToPath(new URL("../..", import.meta.url));

/** Describes each file that exceeds its budget or has none, and each budget without a file. */
function problems(sizes, budgets) {
  const names = new Set([...Object.keys(sizes), ...Object.keys(budgets)]);
  return [...names].flatMap((name) => {
    const { [name]: size } = sizes;
    const { [name]: budget } = budgets;
    if (size === undefined) return [`${name} has a budget in ${BUDGETS}, but a page does not download it`];
    if (budget === undefined) return [`${name} has ${size} bytes, and no budget in ${BUDGETS}`];
    return size > budget ? [`${name} has ${size} bytes, and its budget in ${BUDGETS} is ${budget}`] : [];
  });
}

test("each file that a page downloads is within its budget, compressed with brotli", async () => {
  const sizes = Object.entries(await pageSizes(root)).map(([name, { brotli }]) => [name, brotli]);
  console.log(`  ${sizes.map(([name, size]) => `${name} ${size}`).join(", ")}`);
  assert.deepEqual(problems(Object.fromEntries(sizes), JSON.parse(readFileSync(`${root}/${BUDGETS}`, "utf8"))), []);
});

test("files above their budget, without a budget, and without a file are reported", () => {
  assert.deepEqual(problems({ a: 10, b: 11, c: 1 }, { a: 10, b: 10, d: 5 }), [
    "b has 11 bytes, and its budget in tests/budget.json is 10",
    "c has 1 bytes, and no budget in tests/budget.json",
    "d has a budget in tests/budget.json, but a page does not download it",
  ]);
});
