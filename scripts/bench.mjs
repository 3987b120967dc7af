// Measures: `npm run bench`. Every figure of time stands beside a peer in the same run.
import { build } from "./build.mjs";
import { main, root, run } from "./lib/step.mjs";
import { setup } from "./setup.mjs";

await main(async () => {
  await setup({ test: true });
  await build();
  await run(process.execPath, ["tests/bench/run.mjs"], { cwd: root });
});
