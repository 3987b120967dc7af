// Servers that a bundler builds with the package inlined.
import { open, row, run, runBundle } from "./project.mjs";

/** The version of Node that builds and runs the bundles: some bundlers need a newer version than the SDK. */
const NODE = 24;

/**
 * Creates a row of the matrix.
 *
 * @param {string} project
 * @param {string} name the kind of the bundle
 * @param {string} build the command that writes the bundle to the folder `out`
 * @param {string} command the command that runs the bundle
 */
function bundle(project, name, build, command, { quick, major = NODE, prepare } = {}) {
  const runs = async (env) => {
    if (prepare) await run(open(project).folder, prepare, { major });
    return runBundle(open(project), build, command, { env, major });
  };
  return row(project, name, "wasm", runs, quick);
}

const esbuild = (name, options, command) =>
  bundle("server-esbuild", name, `esbuild --bundle --platform=node ${options}`, command, { quick: true });

const rollup = (name, format, extension) => {
  const files = `--entryFileNames [name].${extension} --chunkFileNames [name].${extension}`;
  return bundle(
    "server-rollup",
    name,
    `rollup --config --input main.mjs --dir out --format ${format} ${files}`,
    `node main.${extension}`,
  );
};

const rolldown = (name, format, extension) => {
  const files = `--entry-file-names [name].${extension} --chunk-file-names [name].${extension}`;
  return bundle(
    "server-rolldown",
    name,
    `rolldown main.mjs --platform node --dir out --format ${format} ${files}`,
    `node main.${extension}`,
  );
};

export const bundlers = () => [
  esbuild("ES module", "main.mjs --format=esm --outfile=out/main.mjs", "node main.mjs"),
  esbuild("CommonJS", "main.cjs --outfile=out/main.cjs", "node main.cjs"),
  esbuild("ES module to CommonJS", "main.mjs --format=cjs --outfile=out/main.cjs", "node main.cjs"),
  rollup("ES module", "es", "mjs"),
  rollup("ES module to CommonJS", "cjs", "cjs"),
  rolldown("ES module", "esm", "mjs"),
  rolldown("ES module to CommonJS", "cjs", "cjs"),
  bundle("server-vite", "SSR, noExternal", "vite build", "node main.mjs"),
  bundle("server-ncc", "ES module", "ncc build main.mjs --out out", "node index.mjs"),
  bundle("server-ncc", "CommonJS", "ncc build main.cjs --out out", "node index.cjs", { quick: true }),
  bundle("server-webpack", "ES module", "webpack --env entry=./main.mjs", "node main.cjs", { quick: true }),
  bundle("server-webpack", "CommonJS", "webpack --env entry=./main.cjs", "node main.cjs"),
  bundle("server-rspack", "ES module", "rspack build --env entry=./main.mjs", "node main.cjs"),
  bundle("server-rspack", "CommonJS", "rspack build --env entry=./main.cjs", "node main.cjs"),
  bundle("server-tsdown", "ES module", "tsdown --format esm", "node main.mjs"),
  bundle("server-tsdown", "CommonJS", "tsdown --format cjs", "node main.cjs"),
  bundle("runtime-bun", "bun build --target node", "bun build main.mjs --target node --outdir out", "node main.js"),
  bundle(
    "runtime-bun",
    "bun build --target node --format cjs",
    "bun build main.cjs --target node --format cjs --outdir out",
    "node main.js",
  ),
  bundle("runtime-bun", "bun build --compile", "bun build main.mjs --compile --outfile out/main", "./main"),
  bundle("server-esbuild", "single executable application of Node 26", "node --build-sea sea.json", "./main", {
    major: 26,
    prepare: "esbuild --bundle --platform=node main.mjs --format=cjs --outfile=bundle.cjs",
  }),
];
