// Builds the JavaScript files and the type declarations of the package into dist/. Does not change the WebAssembly module
// (dist/wasm) or the native addon (dist/native): Cargo builds these.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { PAGE_MODULES } from "../../scripts/lib/modules.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const inDist = (...names) => join(dist, ...names);

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/**
 * Keeps the files that are loaded on demand out of the bundles: the JavaScript glue of the WebAssembly modules, of which each
 * module format has one, and the scripts with embedded files, which run in both formats.
 */
const onDemand = (glueExtension) => ({
  name: "on-demand",
  setup({ onResolve }) {
    onResolve({ filter: /\/wasm\/\w+\.js$/ }, ({ path }) => ({
      path: `./wasm/${basename(path, ".js")}${glueExtension}`,
      external: true,
    }));
    onResolve({ filter: /^\.\/embedded\// }, ({ path }) => ({ path, external: true }));
  },
});

/**
 * The scripts of Node in both module formats. Their entry loads all but `shared` on demand. With ES modules, they share scripts with a
 * page.
 */
const NODE_SCRIPTS = {
  node: "src/entry/node.ts",
  shared: "src/shared.ts",
  channel: "src/channel/base.ts",
  classes: "src/channel/classes.ts",
  upload: "src/upload/content.ts",
  "node-binding": "src/bindings/node.ts",
  "node-screen": "src/screen/node.ts",
  "node-upload": "src/upload/node.ts",
  "node-wasm": "src/bindings/node-wasm.ts",
};

/** Selects the CommonJS version of the module that locates the package. */
const locationInCommonJs = {
  name: "location-in-common-js",
  setup({ onResolve }) {
    onResolve({ filter: /\/location\.js$/ }, () => ({ path: join(root, "src/bindings/location-cjs.ts") }));
  },
};

/** Bundles the JavaScript glue of WebAssembly modules into a worker. */
const withGlue = {
  name: "with-glue",
  setup({ onResolve }) {
    onResolve({ filter: /\/wasm\/orgo_\w+\.js$/ }, ({ path }) => ({ path: inDist("wasm", basename(path)), sideEffects: false }));
  },
};

/** Bundles the JavaScript glue of the screen into the script that also contains the view. */
const withScreenGlue = {
  name: "with-screen-glue",
  setup({ onResolve }) {
    onResolve({ filter: /\/wasm\/orgo_screen\.js$/ }, () => ({ path: inDist("wasm", "orgo_screen.js") }));
  },
};

/**
 * Embeds the WebAssembly module of the worklet, which `npm run build -- wasm` builds. A string with one character for each byte
 * compresses better than base64. Each character code is larger by one than the byte, because the minifiers of Parcel and Next 15
 * write a zero character before a digit as an octal escape, which is not valid in a module.
 */
const playoutModule = {
  name: "playout-module",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^playout\.wasm$/ }, () => ({ path: join(root, "../target/playout.wasm") }));
    onLoad({ filter: /playout\.wasm$/ }, ({ path }) => {
      const text = String.fromCharCode(...Array.from(readFileSync(path), (byte) => byte + 1));
      return { contents: `export default Uint8Array.from(${JSON.stringify(text)}, (character) => character.charCodeAt(0) - 1);` };
    });
  },
};

/**
 * The scripts of a page. Each contains the modules that it imports, except those of other scripts. The entry imports `shared`, and
 * loads `audio`, `classes`, `upload` and `wasm/screen` on demand.
 */
const PAGE_SCRIPTS = {
  browser: "src/entry/browser.ts",
  shared: "src/shared.ts",
  channel: "src/channel/base.ts",
  audio: "src/audio/in-page.ts",
  classes: "src/channel/classes.ts",
  upload: "src/upload/content.ts",
  "wasm/screen": "src/screen/page.ts",
};
/** The scripts of the modules that must exist once, for example because of `instanceof`. */
const SHARED = {
  shared: ["abort", "callback", "deadline", "errors", "logger", "options"],
  channel: ["channel/channel", "channel/input", "emitter"],
};

/** Replaces the imports of the modules of other scripts by imports of the scripts. */
const otherScripts = (script, scripts, extension) => {
  const owners = new Map(Object.entries(scripts).map(([name, source]) => [join(root, source), name]));
  for (const [name, modules] of Object.entries(SHARED)) {
    for (const module of modules) owners.set(join(root, "src", `${module}.ts`), name);
  }
  return {
    name: "other-scripts",
    setup({ onResolve }) {
      onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path, resolveDir, kind }) => {
        const owner = owners.get(join(resolveDir, path.replace(/js$/, "ts")));
        if (kind === "entry-point" || owner === undefined || owner === script) return undefined;
        return { path: `${script.includes("/") ? "../" : "./"}${owner}${extension}`, external: true };
      });
    },
  };
};

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  target: "es2022",
  logLevel: "warning",
  define: { PACKAGE_VERSION: JSON.stringify(version) },
  plugins: [onDemand(".js")],
};

// The package contains all files of dist/, so files of previous versions must not remain.
for (const name of readdirSync(dist)) if (!["native", "wasm"].includes(name)) rmSync(inDist(name), { recursive: true });

/** Builds a script of Node in both module formats. A script of a page exists as an ES module already. */
async function buildNodeScript([name, source]) {
  const { metafile } = await build({
    ...common,
    entryPoints: [source],
    outfile: inDist(`${name}.js`),
    platform: "node",
    format: "esm",
    plugins: [otherScripts(name, NODE_SCRIPTS, ".js"), onDemand(".js")],
    write: !(name in PAGE_SCRIPTS),
    metafile: true,
  });
  const names = Object.values(metafile.outputs)[0].exports.join(", ");
  // esbuild would define a getter for each export, which takes a tenth of the time of an import.
  const contents = [
    `import { ${names} } from "./${source}";`,
    `module.exports = { ${names} };`,
    'Object.defineProperty(module.exports, "__esModule", { value: true });',
  ];
  await build({
    ...common,
    stdin: { contents: contents.join("\n"), resolveDir: root },
    outfile: inDist(`${name}.cjs`),
    platform: "node",
    format: "cjs",
    banner: { js: '"use strict";' },
    // ES modules find the names of the exports in this form.
    footer: { js: `0 && (module.exports = { ${names} });` },
    // Jest has no `import()` in CommonJS modules.
    supported: { "dynamic-import": false },
    plugins: [otherScripts(name, NODE_SCRIPTS, ".cjs"), onDemand(".cjs"), locationInCommonJs],
    logOverride: { "commonjs-variable-in-esm": "silent" },
  });
}

await Promise.all([
  ...Object.entries(NODE_SCRIPTS).map(buildNodeScript),
  build({
    ...common,
    bundle: false,
    entryPoints: [inDist("wasm", "orgo_wasm.js")],
    outfile: inDist("wasm", "orgo_wasm.cjs"),
    format: "cjs",
    minify: true,
    plugins: [],
  }),
  ...Object.entries(PAGE_SCRIPTS).map(([name, source]) =>
    build({
      ...common,
      entryPoints: [source],
      outfile: inDist(`${name}.js`),
      platform: "browser",
      format: "esm",
      plugins: [withScreenGlue, otherScripts(name, PAGE_SCRIPTS, ".js"), onDemand(".js")],
    }),
  ),
  ...PAGE_MODULES.map((name) =>
    build({
      ...common,
      stdin: {
        contents: `
          export * from "./orgo_${name}.js";
          export const moduleUrl = () => new URL("./orgo_${name}_bg.wasm", import.meta.url);
        `,
        resolveDir: inDist("wasm"),
      },
      outfile: inDist("wasm", `${name}.js`),
      platform: "browser",
      format: "esm",
      minify: true,
      plugins: [],
    }),
  ),
  // Each of these scripts is self-contained, because tools that copy assets do not follow imports. It has neither imports nor
  // exports, so it has the types of a CommonJS module, which every program can resolve.
  build({
    ...common,
    entryPoints: ["src/audio/worklet.ts"],
    outfile: inDist("audio", "worklet.js"),
    platform: "browser",
    format: "esm",
    minify: true,
    charset: "utf8",
    plugins: [playoutModule],
  }),
  ...Object.entries({ audio: "", screen: "screen-" }).flatMap(([part, prefix]) =>
    [true, false].map((complete) =>
      build({
        ...common,
        entryPoints: [`src/${part}/worker.ts`],
        outfile: inDist(part, `${prefix}${complete ? "worker" : "channels-worker"}.js`),
        platform: "browser",
        format: "esm",
        minify: true,
        // A worker has no document.
        define: { WITH_COMPLETE: String(complete), document: "undefined" },
        plugins: [withGlue],
      }),
    ),
  ),
]);

// Platforms that compile no WebAssembly at run time import the compiled module. Their bundlers support different paths.
for (const [name, query] of Object.entries({ workerd: "", edge: "?module" })) {
  const code = [
    `import wasm from "./wasm/orgo_wasm_bg.wasm${query}";`,
    'import { configure } from "./browser.js";',
    "configure({ wasm });",
    'export * from "./browser.js";',
  ];
  writeFileSync(inDist(`${name}.js`), `${code.join("\n")}\n`);
}

// npm/src/assets/embedded.ts describes the format of these scripts.
mkdirSync(inDist("embedded"));
writeFileSync(inDist("embedded", "package.json"), '{ "sideEffects": true }\n');
const embed = (name, text) => {
  const key = JSON.stringify(`orgo-sdk ${version} ${name}`);
  writeFileSync(inDist("embedded", `${name}.js`), `globalThis[${key}] = ${JSON.stringify(text)};\n`);
};
for (const [name, module] of Object.entries({ wasm: "wasm", "screen-wasm": "screen" })) {
  embed(name, gzipSync(readFileSync(inDist("wasm", `orgo_${module}_bg.wasm`)), { level: 9 }).toString("base64"));
}
for (const name of ["worker", "worklet"]) embed(name, readFileSync(inDist("audio", `${name}.js`), "utf8"));
embed("screen-worker", readFileSync(inDist("screen", "screen-worker.js"), "utf8"));
for (const folder of ["audio", "screen"]) writeFileSync(inDist(folder, "package.json"), '{ "type": "commonjs" }\n');

/**
 * Gets the built-in modules of Node from a function `load` instead of `require`, which bundlers replace: esbuild by a function that
 * throws in every ES module.
 */
const withLoader = {
  name: "with-loader",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\w+$/ }, ({ path }) => (builtinModules.includes(path) ? { path, namespace: "builtin" } : undefined));
    onLoad({ filter: /./, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = load(${JSON.stringify(path)});`,
    }));
  },
};

// The WebSocket client of WebAssembly in Node: a function that takes `load` and returns the class. Its optional addons are left out.
const ws = dirname(createRequire(import.meta.url).resolve("ws/package.json"));
const license = `/*! ws (https://github.com/websockets/ws)\n\n${readFileSync(join(ws, "LICENSE"), "utf8")}*/`;
await build({
  ...common,
  entryPoints: [join(ws, "lib/websocket.js")],
  outfile: inDist("embedded", "websocket.js"),
  platform: "node",
  format: "iife",
  globalName: "client",
  minify: true,
  define: { "process.env.WS_NO_BUFFER_UTIL": "true", "process.env.WS_NO_UTF_8_VALIDATE": "true" },
  banner: { js: `${license}\nmodule.exports = (load) => {` },
  footer: { js: "return client;\n};" },
  plugins: [withLoader],
});

const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
execFileSync(process.execPath, [tsc, "--project", root, "--outDir", inDist("types")], { stdio: "inherit" });
// Copies the type declarations for CommonJS. Declarations of an ES module cannot serve both formats: before TypeScript 5.8, a
// CommonJS module cannot import values from them.
cpSync(inDist("types"), inDist("cjs"), { recursive: true });
writeFileSync(inDist("cjs", "package.json"), '{ "type": "commonjs" }\n');
