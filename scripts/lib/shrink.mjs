// Makes the module and its glue smaller than wasm-pack leaves them.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, output, run } from "./step.mjs";

const enabled = (names) => names.map((name) => `--enable-${name}`);

/** The features of WebAssembly that rustc uses, and what only a debugger reads is left out. */
export const RUSTC = [
  ...enabled(["bulk-memory", "mutable-globals", "nontrapping-float-to-int", "sign-ext"]),
  "--strip-producers",
  "--strip-target-features",
];
/** What wasm-bindgen uses besides. */
const BINDGEN = enabled(["multivalue", "reference-types"]);

const OPTIMISE = ["-Oz", "--flatten", "--rereloop", "-Oz", "-Oz"];

/**
 * Optimises the module, gives short names to all that module and glue have of each other, and minifies the glue.
 * wasm-bindgen's names end in hashes, which compress badly and stand in both.
 *
 * @param {string} folder where `orgo_wasm_bg.wasm` and `orgo_wasm.js` are
 */
export async function shrink(folder) {
  const wasm = join(folder, "orgo_wasm_bg.wasm");
  const passes = [...OPTIMISE, ...RUSTC, "--minify-imports-and-exports-and-modules"];
  const renamed = await output("wasm-opt", [...BINDGEN, ...passes, wasm, "-o", wasm]);
  if (renamed === undefined) throw new Failure("wasm-opt failed");
  const { imports, exports } = JSON.parse(renamed);

  const glue = join(folder, "orgo_wasm.js");
  let code = readFileSync(glue, "utf8");
  const rename = (pattern, text) => {
    if (!pattern.test(code)) throw new Failure(`The glue of wasm-bindgen has no ${pattern}`);
    code = code.replace(pattern, () => text);
  };
  for (const [, name, short] of imports) rename(new RegExp(`\\b${name}: function`), `"${short}": function`);
  const [[module]] = imports;
  // What wasm-opt calls the only module.
  rename(new RegExp(`"${module}"`), '"a"');
  for (const [name, short] of exports) {
    code = code.replace(new RegExp(`\\bwasm\\.${name}\\b`, "g"), () => `wasm.${short}`);
  }
  writeFileSync(glue, code);
  await run("esbuild", [glue, "--minify", "--target=es2022", `--outfile=${glue}`, "--allow-overwrite", "--log-level=warning"]);
}
