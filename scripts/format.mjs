// Formats all files: Rust with rustfmt; TypeScript, JavaScript, CSS and JSON with Biome, which also sorts imports.
// `npm run format`.
import { main, run, step } from "./lib/step.mjs";
import { ensureNpm, usePaths } from "./lib/tools.mjs";

await main(async () => {
  usePaths();
  await step("npm packages", ensureNpm);
  await step("Rust", () => run("cargo", ["fmt", "--all"]));
  await step("TypeScript and JavaScript", () => run("biome", ["check", "--write", "--linter-enabled=false"]));
});
