// Shows what the WebAssembly modules consist of: `npm run bench -- parts [ITEMS]`. The sizes are those of the functions by their
// names, after wasm-opt, and before compression and before names are removed. ITEMS is the number of the largest functions to show.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { MODULES, packModule } from "../../../scripts/lib/modules.mjs";
import { BINDGEN, OPTIMIZE, RUSTC } from "../../../scripts/lib/shrink.mjs";
import { main, run } from "../../../scripts/lib/step.mjs";
import { usePaths } from "../../../scripts/lib/tools.mjs";
import { functions } from "./functions.mjs";

/** The parts, and the names of their functions. The first match counts. */
const PARTS = {
  "the binding": /^<?orgo_wasm| shim$/,
  "REST calls": /orgo_core::(rest|driver::(call|progress))/,
  "channels and their loops": /orgo_core::(channel|driver|audio)/,
  "JSON and other encodings": /orgo_core::encoding/,
  "settings and addresses": /orgo_core::client/,
  "masks and log entries": /orgo_core::diagnostics/,
  errors: /orgo_core::error/,
  "wasm-bindgen, js-sys, gloo and futures": /wasm_bindgen|js_sys|web_sys|gloo|futures|externref/,
  "the standard library and the allocator": /./,
};

const partOf = (name) => Object.keys(PARTS).find((part) => PARTS[part].test(name));

/** Measures one module. Returns the sizes of its parts in bytes, and its functions. */
async function measure(module) {
  const folder = mkdtempSync(join(tmpdir(), "orgo-parts-"));
  try {
    const file = join(folder, `${await packModule(folder, module)}_bg.wasm`);
    const optimized = join(folder, "optimized.wasm");
    const passes = [...BINDGEN, ...OPTIMIZE, ...RUSTC];
    await run("wasm-opt", [...passes, "--debuginfo", file, "-o", optimized]);
    const { items, data } = functions(readFileSync(optimized));
    await run("wasm-opt", [...passes, file, "-o", optimized]);
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
    const sizes = Object.fromEntries(Object.keys(PARTS).map((part) => [part, 0]));
    for (const { name, size } of items) sizes[partOf(name)] += size;
    const compressed = brotliCompressSync(readFileSync(optimized), { params }).length;
    return { sizes: { ...sizes, "data: declarations and texts": data, "compressed with brotli": compressed }, items };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await main(async () => {
  usePaths();
  const measured = {};
  for (const module of Object.keys(MODULES)) measured[module] = await measure(module);
  const rows = Object.keys(measured.wasm.sizes).map((part) => [
    part,
    Object.fromEntries(Object.entries(measured).map(([module, { sizes }]) => [module, sizes[part]])),
  ]);
  console.table(Object.fromEntries(rows));
  const count = Number(process.argv[2] ?? 0);
  for (const [module, { items }] of Object.entries(measured)) {
    if (count > 0) console.log(`\nThe largest functions of \`${module}\`, in bytes`);
    const largest = items.sort((one, other) => other.size - one.size).slice(0, count);
    for (const { name, size } of largest) console.log(String(size).padStart(6), name.replace(/::h[0-9a-f]{16}/, ""));
  }
});
