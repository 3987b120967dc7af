// Builds the JavaScript files and the type declarations of the package into dist/. Does not change the WebAssembly module
// (dist/wasm) or the native addon (dist/native): Cargo builds these.
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const inDist = (...names) => join(dist, ...names);

/** Keeps the JavaScript glue of the WebAssembly module in a separate file, which is loaded on demand. */
const externalGlue = {
  name: "external-glue",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/wasm\/orgo_wasm\.js$/ }, ({ path }) => ({ path, external: true }));
  },
};

/**
 * Bundles the JavaScript glue into the worker. Removes the URL of the WebAssembly module, because the page sends the compiled
 * module to the worker.
 */
const glueWithoutModule = {
  name: "glue-without-module",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/wasm\/orgo_wasm\.js$/ }, () => ({ path: inDist("wasm", "orgo_wasm.js") }));
    onLoad({ filter: /orgo_wasm\.js$/ }, ({ path }) => {
      const glue = readFileSync(path, "utf8");
      const contents = glue.replace(/new URL\(["']orgo_wasm_bg\.wasm["'], ?import\.meta\.url\)/, "undefined");
      if (contents === glue) throw new Error(`${path} does not contain the expected URL of its module`);
      return { contents };
    });
  },
};

/**
 * Embeds the WebAssembly module of the worklet, which `npm run build -- wasm` builds. A string with one character for each byte
 * compresses better than base64.
 */
const playoutModule = {
  name: "playout-module",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^playout\.wasm$/ }, () => ({ path: join(root, "../target/playout.wasm") }));
    onLoad({ filter: /playout\.wasm$/ }, ({ path }) => {
      const text = JSON.stringify(readFileSync(path, "latin1"));
      return { contents: `export default Uint8Array.from(${text}, (character) => character.charCodeAt(0));` };
    });
  },
};

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  target: "es2022",
  logLevel: "warning",
  plugins: [externalGlue],
};

for (const name of ["types", "cjs"]) rmSync(inDist(name), { recursive: true, force: true });

await Promise.all([
  build({ ...common, entryPoints: ["src/entry/node.ts"], outfile: inDist("node.js"), platform: "node", format: "esm" }),
  build({
    ...common,
    entryPoints: ["src/entry/node.ts"],
    outfile: inDist("node.cjs"),
    platform: "node",
    format: "cjs",
    // CommonJS modules have no `import.meta.url`.
    define: { "import.meta.url": "moduleUrl" },
    banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
  }),
  build({
    ...common,
    entryPoints: ["src/entry/browser.ts"],
    outfile: inDist("browser.js"),
    platform: "browser",
    format: "esm",
  }),
  // Each of these files is self-contained, because tools that copy assets do not follow imports.
  build({
    ...common,
    entryPoints: ["src/audio/worklet.ts"],
    outfile: inDist("worklet.js"),
    platform: "browser",
    format: "esm",
    minify: true,
    charset: "utf8",
    plugins: [playoutModule],
  }),
  build({
    ...common,
    entryPoints: ["src/audio/worker.ts"],
    outfile: inDist("worker.js"),
    platform: "browser",
    format: "esm",
    minify: true,
    plugins: [glueWithoutModule],
  }),
]);

const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
execFileSync(process.execPath, [tsc, "--project", root, "--outDir", inDist("types")], { stdio: "inherit" });
// Copies the type declarations for CommonJS.
cpSync(inDist("types"), inDist("cjs"), { recursive: true });
writeFileSync(inDist("cjs", "package.json"), '{ "type": "commonjs" }\n');
