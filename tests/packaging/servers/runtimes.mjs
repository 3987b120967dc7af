// JavaScript runtimes, and their options.
import { bindingRows, row } from "./rows.mjs";

/** Rows for each entry point and binding. */
const entries = (project, program, options) => [
  ...bindingRows(project, "ES module", `${program} main.mjs`, options),
  ...bindingRows(project, "CommonJS", `${program} main.cjs`, options),
];

const node = (major, options, binding, { entry = "main.mjs", quick } = {}) =>
  row(`runtime-node-${major}`, `\`${options}\`, ${entry}`, binding, `node ${options} ${entry}`, { major, quick });

const deno = (mode, options, binding) => row("runtime-deno", mode, binding, `deno run ${options} main.mjs`);

/** Programs with several threads, processes or contexts. */
const programs = (project, program, { threads = true, ...options } = {}) => [
  ...(threads ? bindingRows(project, "worker threads", `${program} threads.mjs`, options) : []),
  ...bindingRows(project, "cluster and exit codes", `${program} processes.mjs`, options),
];

export const runtimes = () => [
  ...[18, 20, 22, 24, 26].flatMap((major) =>
    entries(`runtime-node-${major}`, "node", { major, quick: major === 18 || major === 26 }),
  ),
  ...[20, 22, 24, 26].flatMap((major) => programs(`runtime-node-${major}`, "node", { major, quick: major === 26 })),
  ...bindingRows("runtime-node-24", "`vm` contexts", "node context.cjs", { major: 24 }),
  ...bindingRows("runtime-bun", "worker threads", "bun threads.mjs"),
  // Options that disable a part of Node that the package can use.
  node(22, "--experimental-permission --allow-fs-read=*", "wasm"),
  node(24, "--permission --allow-fs-read=*", "wasm"),
  node(24, "--permission --allow-fs-read=* --allow-addons", "native"),
  node(26, "--permission --allow-fs-read=* --allow-net", "wasm", { quick: true }),
  node(24, "--no-addons", "wasm"),
  node(24, "--no-addons", "wasm", { entry: "main.cjs" }),
  node(24, "--jitless", "native"),
  ...entries("runtime-bun", "bun", { quick: true }),
  ...entries("runtime-deno", "deno run -A", { quick: true }),
  deno("with `--allow-ffi`, without `--allow-sys`", "--allow-read --allow-env --allow-net --allow-ffi", "native"),
  deno("without `--allow-ffi`", "--allow-read --allow-env --allow-net", "wasm"),
  deno("without `--allow-ffi` and `--allow-read`", "--allow-env --allow-net", "wasm"),
];
