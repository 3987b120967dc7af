// Servers that a bundler builds with the package inlined.
import { bundleRow } from "./rows.mjs";

/** The version of Node that builds and runs the bundles: some bundlers need a newer version than the SDK. */
const NODE = { major: 24 };
const QUICK = { ...NODE, quick: true };

const esbuild = (mode, options, command, node = NODE) =>
  bundleRow("server-esbuild", mode, [`esbuild --bundle --platform=node ${options}`], command, { ...node, quick: true });

function rollup(mode, format, extension) {
  const files = `--entryFileNames [name].${extension} --chunkFileNames [name].${extension}`;
  const build = `rollup --config --input main.mjs --dir out --format ${format} ${files}`;
  return bundleRow("server-rollup", mode, [build], `node main.${extension}`, NODE);
}

function rolldown(mode, format, extension) {
  const files = `--entry-file-names [name].${extension} --chunk-file-names [name].${extension}`;
  const build = `rolldown main.mjs --platform node --dir out --format ${format} ${files}`;
  return bundleRow("server-rolldown", mode, [build], `node main.${extension}`, NODE);
}

const bun = (options, command) => bundleRow("runtime-bun", `\`bun build ${options}\``, [`bun build ${options}`], command, NODE);

export const bundlers = () => [
  esbuild("ES module", "main.mjs --format=esm --outfile=out/main.mjs", "node main.mjs"),
  // Channels need the embedded WebSocket client: this version has no global `WebSocket`.
  esbuild("ES module, Node 20", "main.mjs --format=esm --outfile=out/main.mjs", "node main.mjs", { major: 20 }),
  esbuild("CommonJS", "main.cjs --outfile=out/main.cjs", "node main.cjs"),
  esbuild("ES module to CommonJS", "main.mjs --format=cjs --outfile=out/main.cjs", "node main.cjs"),
  rollup("ES module", "es", "mjs"),
  rollup("ES module to CommonJS", "cjs", "cjs"),
  rolldown("ES module", "esm", "mjs"),
  rolldown("ES module to CommonJS", "cjs", "cjs"),
  bundleRow("server-vite", "SSR with noExternal", ["vite build"], "node main.mjs", NODE),
  bundleRow("server-ncc", "ES module", ["ncc build main.mjs --out out"], "node index.mjs", NODE),
  bundleRow("server-ncc", "CommonJS", ["ncc build main.cjs --out out"], "node index.cjs", QUICK),
  // webpack emits the addon.
  bundleRow("server-webpack", "ES module", ["webpack --env entry=./main.mjs"], "node main.cjs", { ...QUICK, binding: "native" }),
  bundleRow("server-webpack", "CommonJS", ["webpack --env entry=./main.cjs"], "node main.cjs", NODE),
  bundleRow("server-rspack", "ES module", ["rspack build --env entry=./main.mjs"], "node main.cjs", NODE),
  bundleRow("server-rspack", "CommonJS", ["rspack build --env entry=./main.cjs"], "node main.cjs", NODE),
  bundleRow("server-tsdown", "ES module", ["tsdown --format esm"], "node main.mjs", NODE),
  bundleRow("server-tsdown", "CommonJS", ["tsdown --format cjs"], "node main.cjs", NODE),
  bun("main.mjs --target node --outdir out", "node main.js"),
  bun("main.cjs --target node --format cjs --outdir out", "node main.js"),
  bun("main.mjs --target bun --outdir out", "bun main.js"),
  bun("main.mjs --compile --outfile out/main", "./main"),
  bundleRow(
    "server-esbuild",
    "single executable application of Node 26",
    [
      "esbuild --bundle --platform=node main.mjs --format=cjs --outfile=bundle.cjs",
      "node --build-sea sea.json",
      "mkdir out",
      "mv main out",
    ],
    "./main",
    { major: 26 },
  ),
];
