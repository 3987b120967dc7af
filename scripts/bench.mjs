// Runs the benchmarks: `npm run bench`, or `npm run bench -- NAME` for a folder of tests/bench, such as `audio`.
// Each time is shown next to a reference from the same run, or next to the value that the service documents.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { build } from "./build.mjs";
import { Failure, main, root, run } from "./lib/step.mjs";

await main(async () => {
  const [what = ".", ...args] = argv.slice(2);
  const program = join("tests/bench", what, "run.mjs");
  if (!existsSync(join(root, program))) throw new Failure(`No benchmark ${what}: ${program} does not exist`);
  await build({ test: true });
  await run(process.execPath, [program, ...args], { cwd: root });
});
