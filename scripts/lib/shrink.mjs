// Makes the output of wasm-bindgen smaller: the WebAssembly module and its JavaScript glue.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, output, run } from "./step.mjs";

const enabled = (names) => names.map((name) => `--enable-${name}`);

/** The wasm-opt options that enable the WebAssembly features of rustc and remove sections that only debuggers read. */
export const RUSTC = [
  ...enabled(["bulk-memory", "mutable-globals", "nontrapping-float-to-int", "sign-ext"]),
  "--strip-producers",
  "--strip-target-features",
];
/** The wasm-opt options that enable the additional features that wasm-bindgen uses. */
export const BINDGEN = enabled(["multivalue", "reference-types"]);

/**
 * The wasm-opt passes, chosen by the compressed size of the result. Three of them need a reason: the first kilobyte of the memory
 * is the end of the stack, so an address with an offset never wraps around. Engines ignore the alignment of an access, which
 * `--dealign` makes equal everywhere. Memory packing replaces zeros by the headers of many segments, which compress worse.
 */
export const OPTIMIZE = [
  ...["-Os", "--flatten", "--rereloop", "-Oz", "-Oz", "--dealign", "--low-memory-unused"],
  "--skip-pass=memory-packing",
];

/**
 * Places the functions of one source file next to each other, which helps brotli. The complete module is embedded in a script after
 * another compression, with which this order is worse.
 */
const ORDER = ["--reorder-functions-by-name"];
const EMBEDDED = "orgo_wasm";

/** Replaces the functions of the glue that load the module. Resolves with the memory of the module. A failure is not kept. */
const INIT = `
let wasm;
let initializing;
export function init({ module_or_path: module }) {
  initializing ??= WebAssembly.instantiate(module, __wbg_get_imports()).then(
    ({ exports }) => {
      wasm = exports;
      wasm.__wbindgen_start();
      return wasm.memory;
    },
    (error) => {
      initializing = undefined;
      throw error;
    },
  );
  return initializing;
}
`;

/**
 * Replaces the function of the glue that reads a text from the memory of the module. In Chromium 156, `TextDecoder` takes 3 µs longer
 * for a short text, if other code has run since its last call.
 */
const READ_TEXT = `
function getStringFromWasm0(ptr, len) {
  ptr >>>= 0;
  const memory = getUint8ArrayMemory0();
  const characters = [];
  if (len < 256) for (let at = ptr; at < ptr + len && memory[at] < 128; at++) characters.push(memory[at]);
  return characters.length === len ? String.fromCharCode(...characters) : decodeText(memory.subarray(ptr, ptr + len));
}
`;

/** What is replaced in the glue: [pattern, replacement]. */
const REPLACED = [
  // The package always passes the compiled module, so the glue needs no code for URLs, which bundlers would follow, and responses.
  [/let wasmModule, wasmInstance, wasm;[\s\S]*export \{ initSync, __wbg_init as default \};/, INIT],
  [/function getStringFromWasm0\(ptr, len\) \{[\s\S]*?\n\}\n/, READ_TEXT],
  // The garbage collector frees the objects of the module.
  [/ {4}__destroy_into_raw\(\) \{[\s\S]*?\n {4}\}\n {4}free\(\) \{[\s\S]*?\n {4}\}\n/g, ""],
  [/if \(Symbol\.dispose\) .*\n/g, ""],
  // Every platform has `encodeInto`, and every module exports `realloc`.
  [/if \(!\('encodeInto' in cachedTextEncoder\)\) \{[\s\S]*?\n\}\n/, ""],
  [/ {4}if \(realloc === undefined\) \{[\s\S]*?\n {4}\}\n/, ""],
  // A memory that grows has a new buffer.
  [/cachedDataViewMemory0 === null \|\| .*\) \{/, "cachedDataViewMemory0?.buffer !== wasm.memory.buffer) {"],
];
/** The same for pages, which have a `FinalizationRegistry` in every supported browser. Not every server has one. */
const REPLACED_IN_PAGES = [
  [/\(typeof FinalizationRegistry === 'undefined'\)\s+\? \{ register: \(\) => \{\}, unregister: \(\) => \{\} \}\s+: new/g, "new"],
];

/** The same for modules that use the global object. Every platform calls it `globalThis`. */
const GLOBAL_OBJECT = [
  [/const ret = typeof globalThis === .*;\s*return .*;/, "return addToExternrefTable0(globalThis);"],
  [/const ret = typeof (?:global|self|window) === .*;\s*return .*;/g, "return 0;"],
];

/** The esbuild options that shorten the private names of the glue. */
const MINIFY = [
  ...["--bundle", "--format=esm", "--minify", "--target=es2022", "--allow-overwrite", "--log-level=warning"],
  "--mangle-props=^_(_wrap|_?wbg_)",
];

/** The same for the modules for pages. */
const IN_PAGE = ["--define:globalThis.ORGO_IN_PAGE=true"];

/**
 * Optimizes the module, shortens the names of its imports and exports in both files, and minifies the glue. The names
 * that wasm-bindgen chooses end in hashes, which compress badly.
 *
 * @param {string} folder the folder of `NAME_bg.wasm` and `NAME.js`
 * @param {string} name
 */
export async function shrink(folder, name) {
  const wasm = join(folder, `${name}_bg.wasm`);
  const order = name === EMBEDDED ? [] : ORDER;
  const passes = [...OPTIMIZE, ...order, ...RUSTC, "--minify-imports-and-exports-and-modules"];
  const renamed = await output("wasm-opt", [...BINDGEN, ...passes, wasm, "-o", wasm]);
  if (renamed === undefined) throw new Failure("wasm-opt failed");
  const { imports, exports } = JSON.parse(renamed);

  const glue = join(folder, `${name}.js`);
  let code = readFileSync(glue, "utf8");
  const rename = (pattern, text) => {
    const changed = code.replace(pattern, () => text);
    if (changed === code) throw new Failure(`The glue of wasm-bindgen does not contain ${pattern}`);
    code = changed;
  };
  for (const [pattern, text] of [...REPLACED, ...(name === EMBEDDED ? [] : REPLACED_IN_PAGES)]) rename(pattern, text);
  if (code.includes("typeof globalThis ===")) for (const [pattern, text] of GLOBAL_OBJECT) rename(pattern, text);
  // A method that takes its object by value frees it.
  if (code.includes("__destroy_into_raw")) throw new Failure("A method of a module takes its object by value");
  for (const [, name, short] of imports) rename(new RegExp(`\\b${name}: function`), `"${short}": function`);
  const [[module]] = imports;
  // wasm-opt renames the only imported module to `a`.
  rename(new RegExp(`"${module}"`), '"a"');
  for (const [name, short] of exports) {
    code = code.replace(new RegExp(`\\bwasm\\.${name}\\b`, "g"), () => `wasm.${short}`);
  }
  writeFileSync(glue, code);
  // Includes the JavaScript files of the crate.
  const page = name === EMBEDDED ? [] : IN_PAGE;
  await run("esbuild", [glue, ...MINIFY, ...page, `--outfile=${glue}`]);
}
