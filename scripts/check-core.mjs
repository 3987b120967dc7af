// Proves that the core is sans-IO: compiled to WebAssembly, it runs without any imports.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { main, root, run } from "./lib/step.mjs";
import { usePaths } from "./lib/tools.mjs";

await main(async () => {
  usePaths();
  const target = "wasm32-unknown-unknown";
  await run("cargo", ["build", "--quiet", "--package", "orgo-core", "--example", "no_imports", "--target", target, "--release"]);
  const folder = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  const module = await WebAssembly.compile(readFileSync(join(folder, target, "release/examples/no_imports.wasm")));
  assert.deepEqual(WebAssembly.Module.imports(module), [], "the core has no imports");

  const { exports } = await WebAssembly.instantiate(module, {});
  const text = (length) => new TextDecoder().decode(new Uint8Array(exports.memory.buffer, exports.text(), length));
  const clicked = text(exports.click(1, 2, 200));
  assert.match(clicked, /https:\/\/www\.orgo\.ai\/api\/computers\/c\/click/);
  assert.match(clicked, /success/);
  assert.match(text(exports.click(-1, 2, 200)), /`x` must be/);
  assert.match(text(exports.channels(30_000)), /^(Open, \d+ actions, \d+ items(; )?){3}$/);
  console.log("  the core has no imports, and runs without any");
});
