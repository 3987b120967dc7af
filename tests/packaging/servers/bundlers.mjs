// Servers that a bundler builds with the package inlined.
import { node, open, runBundle } from "./project.mjs";

/**
 * Creates a row of the matrix.
 *
 * @param {string} tool the tool, as the dependency of the project is named
 * @param {string} name the kind of the output
 * @param {string[]} build the command that writes the bundle
 * @param {string[]} command the command that runs the bundle; `node` is a current version of Node
 */
function bundle(project, name, build, [program, ...args], quick = false) {
  const command = () => [program === "node" ? node(24) : program, ...args];
  return {
    project,
    name,
    quick,
    binding: "wasm",
    // Some tools need a newer Node than the SDK.
    run: (env) => runBundle(open(project), build, command(), env),
  };
}

const ESBUILD = ["esbuild", "--bundle", "--platform=node"];
const ROLLUP = ["rollup", "--config", "--dir", "out"];
const ROLLDOWN = ["rolldown", "main.mjs", "--platform", "node", "--dir", "out"];
const names = (extension) => [`--entryFileNames=[name].${extension}`, `--chunkFileNames=[name].${extension}`];
const named = (extension) => [`--entry-file-names=[name].${extension}`, `--chunk-file-names=[name].${extension}`];

export const bundlers = () => [
  bundle(
    "server-esbuild",
    "ES module",
    [...ESBUILD, "main.mjs", "--format=esm", "--outfile=out/main.mjs"],
    ["node", "main.mjs"],
    true,
  ),
  bundle("server-esbuild", "CommonJS", [...ESBUILD, "main.cjs", "--outfile=out/main.cjs"], ["node", "main.cjs"], true),
  bundle(
    "server-esbuild",
    "ES module to CommonJS",
    [...ESBUILD, "main.mjs", "--outfile=out/main.cjs"],
    ["node", "main.cjs"],
    true,
  ),
  bundle("server-rollup", "ES module", [...ROLLUP, "--input=main.mjs", ...names("mjs")], ["node", "main.mjs"]),
  bundle(
    "server-rollup",
    "ES module to CommonJS",
    [...ROLLUP, "--input=main.mjs", "--format=cjs", ...names("cjs")],
    ["node", "main.cjs"],
  ),
  bundle("server-rolldown", "ES module", [...ROLLDOWN, "--format=esm", ...named("mjs")], ["node", "main.mjs"]),
  bundle("server-rolldown", "ES module to CommonJS", [...ROLLDOWN, "--format=cjs", ...named("cjs")], ["node", "main.cjs"]),
  bundle("server-vite", "SSR, noExternal", ["vite", "build"], ["node", "main.mjs"]),
  bundle("server-ncc", "ES module", ["ncc", "build", "main.mjs", "--out", "out"], ["node", "index.mjs"]),
  bundle("server-ncc", "CommonJS", ["ncc", "build", "main.cjs", "--out", "out"], ["node", "index.cjs"]),
  bundle("server-webpack", "ES module", ["webpack", "--env", "entry=./main.mjs"], ["node", "main.cjs"], true),
  bundle("server-webpack", "CommonJS", ["webpack", "--env", "entry=./main.cjs"], ["node", "main.cjs"]),
  bundle("server-rspack", "ES module", ["rspack", "build", "--env", "entry=./main.mjs"], ["node", "main.cjs"]),
  bundle("server-rspack", "CommonJS", ["rspack", "build", "--env", "entry=./main.cjs"], ["node", "main.cjs"]),
];
