// Builds the documentation: rustdoc in target/doc, and the API reference in docs/reference.md.
import { main, run, step } from "./lib/step.mjs";
import { usePaths } from "./lib/tools.mjs";

await main(async () => {
  usePaths();
  await step("API reference", () => run(process.execPath, ["scripts/types.mjs"]));
  await step("Rust crates", () => run("cargo", ["doc", "--workspace", "--no-deps", "--all-features"]));
  console.log("\ntarget/doc/orgo_core/index.html, docs/reference.md");
});
