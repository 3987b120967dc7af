// Measures: `npm run bench`, and by a name what has a folder of its own in tests/bench, such as `npm run bench -- audio`.
// Every figure of time stands beside a peer in the same run, or beside what the documents say of the service.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { build } from "./build.mjs";
import { Failure, main, root, run } from "./lib/step.mjs";
import { setup } from "./setup.mjs";

await main(async () => {
  const [what = ".", ...args] = argv.slice(2);
  const program = join("tests/bench", what, "run.mjs");
  if (!existsSync(join(root, program))) throw new Failure(`There is no ${program}`);
  await setup({ test: true });
  await build();
  await run(process.execPath, [program, ...args], { cwd: root });
});
