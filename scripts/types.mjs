// Generates the files that are derived from the core's declarations: `npm run types`. With `--check`, fails if one of
// these files is out of date.
import { argv } from "node:process";
import { main, run } from "./lib/step.mjs";
import { usePaths } from "./lib/tools.mjs";

await main(async () => {
  usePaths();
  const args = argv.includes("--check") ? ["--", "--check"] : [];
  await run("cargo", ["run", "--quiet", "--package", "orgo-describe", ...args]);
});
