// Checks formats, lints, words, types, documentation, generated files and dependencies: `npm run lint`. Does not change
// any file.
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { audit } from "./audit.mjs";
import { build } from "./build.mjs";
import { MODULES } from "./lib/modules.mjs";
import { main, run, step } from "./lib/step.mjs";
import { checkWords } from "./words.mjs";

const WASM = ["--target", "wasm32-unknown-unknown"];

export async function lint() {
  await step("Rust format", () => run("cargo", ["fmt", "--all", "--check"]));
  await step("TypeScript and JavaScript", () => run("biome", ["ci", "--error-on-warnings"]));
  await step("Words", checkWords);
  await step("Generated files", () => run(process.execPath, ["scripts/types.mjs", "--check"]));
  await step("Clippy", () => clippy("--workspace", "--all-targets", "--all-features"));
  await step("Clippy for WebAssembly", async () => {
    await clippy("--package", "orgo-wasm", "--all-targets", ...WASM);
    for (const { crate, features } of Object.values(MODULES)) {
      if (crate !== "orgo-wasm") continue;
      await clippy("--package", "orgo-wasm", "--no-default-features", "--features", features.join(), ...WASM);
    }
  });
  // Separate runs, because these modules do not use the standard library.
  await step("Clippy for the playout module", () => clippy("--package", "orgo-playout-wasm", ...WASM));
  await step("Clippy for the screen module", () => clippy("--package", "orgo-screen-wasm", ...WASM));
  await step("Rust documentation", () =>
    run("cargo", ["doc", "--workspace", "--no-deps", "--all-features", "--document-private-items", "--quiet"], {
      env: { RUSTDOCFLAGS: "-D warnings" },
    }),
  );
  await step("TypeScript types", () => run("npm", ["run", "--silent", "check", "--workspaces", "--if-present"]));
  await step("Dependencies", () => audit({ tolerant: true }));
}

function clippy(...args) {
  return run("cargo", ["clippy", ...args, "--quiet", "--", "-D", "warnings"]);
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  await main(async () => {
    await build({ test: true, only: ["wasm", "npm"] });
    await lint();
  });
}
