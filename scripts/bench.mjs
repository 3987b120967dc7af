// Measures: `npm run bench`, and sound by `npm run bench -- audio`. Every figure of time stands beside a peer in the same run.
import { argv } from "node:process";
import { build } from "./build.mjs";
import { main, root, run } from "./lib/step.mjs";
import { setup } from "./setup.mjs";

await main(async () => {
  await setup({ test: true });
  await build();
  const [what, ...args] = argv.slice(2);
  const program = what === "audio" ? ["tests/bench/audio/run.mjs", ...args] : ["tests/bench/run.mjs"];
  await run(process.execPath, program, { cwd: root });
});
