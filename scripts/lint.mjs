// Format, lints, types, documentation and generated files: `npm run lint`. Changes nothing.
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { build } from "./build.mjs";
import { main, run, step } from "./lib/step.mjs";
import { setup } from "./setup.mjs";

export async function lint() {
  const strict = { env: { RUSTDOCFLAGS: "-D warnings" } };
  await step("Format", () => run("cargo", ["fmt", "--all", "--check"]));
  await step("Generated files", () => run(process.execPath, ["scripts/types.mjs", "--check"]));
  await step("Clippy", () =>
    run("cargo", ["clippy", "--workspace", "--all-targets", "--all-features", "--quiet", "--", "-D", "warnings"]),
  );
  await step("Clippy for WebAssembly", () =>
    run("cargo", [
      "clippy",
      "--package",
      "orgo-wasm",
      "--all-targets",
      "--target",
      "wasm32-unknown-unknown",
      "--quiet",
      "--",
      "-D",
      "warnings",
    ]),
  );
  // Alone, since it replaces parts of the standard library.
  await step("Clippy for the playout module", () =>
    run("cargo", [
      "clippy",
      "--package",
      "orgo-playout-wasm",
      "--target",
      "wasm32-unknown-unknown",
      "--quiet",
      "--",
      "-D",
      "warnings",
    ]),
  );
  await step("Rust documentation", () =>
    run("cargo", ["doc", "--workspace", "--no-deps", "--all-features", "--document-private-items", "--quiet"], strict),
  );
  await step("TypeScript types", () => run("npm", ["run", "--silent", "check", "--workspaces", "--if-present"]));
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  await main(async () => {
    await setup({ test: true });
    await build(["wasm", "npm"]);
    await lint();
  });
}
