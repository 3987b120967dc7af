// Builds the package's JavaScript and types into dist/. The WebAssembly module (dist/wasm) and the native addon
// (dist/native) are built by Cargo and stay as they are.
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const inDist = (...names) => join(dist, ...names);

/** The glue of the WebAssembly module stays a file of its own, so that it is loaded only when it is needed. */
const glueStaysOutside = {
  name: "glue-stays-outside",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/wasm\/orgo_wasm\.js$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** A worker is one file with the glue in it. It is given the module, and must not name a place where it is not. */
const glueWithoutModule = {
  name: "glue-without-module",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/wasm\/orgo_wasm\.js$/ }, () => ({ path: inDist("wasm", "orgo_wasm.js") }));
    onLoad({ filter: /orgo_wasm\.js$/ }, ({ path }) => {
      const glue = readFileSync(path, "utf8");
      const contents = glue.replace(/new URL\(["']orgo_wasm_bg\.wasm["'], ?import\.meta\.url\)/, "undefined");
      if (contents === glue) throw new Error(`${path} names its module in another way than expected`);
      return { contents };
    });
  },
};

/** The playout of the worklet, which `npm run build -- wasm` makes. */
const playoutModule = {
  name: "playout-module",
  setup({ onResolve }) {
    onResolve({ filter: /^playout\.wasm$/ }, () => ({ path: join(root, "../target/playout.wasm") }));
  },
};

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  target: "es2022",
  logLevel: "warning",
  plugins: [glueStaysOutside],
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
    // CommonJS modules know their place by another name.
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
  // Files without imports: what copies an asset does not follow them.
  build({
    ...common,
    entryPoints: ["src/audio/worklet.ts"],
    outfile: inDist("worklet.js"),
    platform: "browser",
    format: "esm",
    minify: true,
    loader: { ".wasm": "binary" },
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
// The same declarations once more, as those of CommonJS modules.
cpSync(inDist("types"), inDist("cjs"), { recursive: true });
writeFileSync(inDist("cjs", "package.json"), '{ "type": "commonjs" }\n');
