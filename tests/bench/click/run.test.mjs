import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

test("the benchmark of a click runs every variant", { timeout: 120_000 }, async () => {
  const program = fileURLToPath(new URL("run.mjs", import.meta.url));
  const env = { ...process.env, ORGO_BENCH_ROUNDS: "1" };
  const { stdout } = await promisify(execFile)(process.execPath, [program], { env });
  for (const name of ["fetch", "the WebAssembly module", "the TypeScript API"]) assert.match(stdout, new RegExp(`'${name}'`));
});
