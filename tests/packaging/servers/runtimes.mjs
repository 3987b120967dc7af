// JavaScript runtimes, and their options.
import { open, row, run } from "./project.mjs";

const ENTRIES = { "main.mjs": "ES module", "main.cjs": "CommonJS" };
const BINDINGS = ["native", "wasm"];
const VERSIONS = [18, 20, 22, 24, 26];

/** A row that runs a command in a project. `binding` is the expected binding, `forced` the selected one. */
function runtime(project, name, binding, command, { forced, major, quick } = {}) {
  const selected = forced && { ORGO_BINDING: forced };
  return row(project, name, binding, (env) => run(open(project).folder, command, { env: { ...env, ...selected }, major }), quick);
}

/** A row for each entry point and binding. */
const entries = (project, program, { major, quick } = {}) =>
  Object.entries(ENTRIES).flatMap(([entry, format]) =>
    BINDINGS.map((binding) =>
      runtime(project, `${format}, ${binding}`, binding, `${program} ${entry}`, { forced: binding, major, quick }),
    ),
  );

const withNode = (major, options, binding, { entry = "main.mjs", quick } = {}) =>
  runtime(`runtime-node-${major}`, options, binding, `node ${options} ${entry}`, { major, quick });

const deno = (name, options, binding) => runtime("runtime-deno", name, binding, `deno run ${options} main.mjs`);

export const runtimes = () => [
  ...VERSIONS.flatMap((major) => entries(`runtime-node-${major}`, "node", { major, quick: major === 18 || major === 26 })),
  // Options that disable a part of Node that the package can use.
  withNode(22, "--experimental-permission --allow-fs-read=*", "wasm"),
  withNode(24, "--permission --allow-fs-read=*", "wasm"),
  withNode(24, "--permission --allow-fs-read=* --allow-addons", "native"),
  withNode(26, "--permission --allow-fs-read=* --allow-net", "wasm", { quick: true }),
  withNode(24, "--no-addons", "wasm"),
  withNode(24, "--no-addons", "wasm", { entry: "main.cjs" }),
  withNode(24, "--jitless", "native"),
  ...entries("runtime-bun", "bun", { quick: true }),
  ...entries("runtime-deno", "deno run -A", { quick: true }),
  deno("without --allow-ffi", "--allow-read --allow-env --allow-net", "wasm"),
  deno("without --allow-ffi and --allow-read", "--allow-env --allow-net", "wasm"),
];
