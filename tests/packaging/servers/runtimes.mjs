// JavaScript runtimes, and their options.
import { node, open, run } from "./project.mjs";

const ENTRIES = { "main.mjs": "ES module", "main.cjs": "CommonJS" };

const VERSIONS = [18, 20, 22, 24, 26];

/** A row that runs the entry points with a version of Node. */
function withNode(major, name, binding, args, { env = {}, quick = false } = {}) {
  const project = `runtime-node-${major}`;
  return {
    project,
    name,
    binding,
    quick,
    run: (server) => run(open(project).folder, [node(major), ...args], { ...server, ...env }),
  };
}

function nodes() {
  return VERSIONS.flatMap((major) =>
    Object.entries(ENTRIES).flatMap(([entry, name]) =>
      ["native", "wasm"].map((binding) =>
        withNode(major, `${name}, ${binding}`, binding, [entry], {
          env: { ORGO_BINDING: binding },
          quick: major === 18 || major === 26,
        }),
      ),
    ),
  );
}

/** Options of Node that disable a part that the package uses. */
const options = () => [
  withNode(22, "--experimental-permission", "wasm", ["--experimental-permission", "--allow-fs-read=*", "main.mjs"]),
  withNode(24, "--permission", "wasm", ["--permission", "--allow-fs-read=*", "main.mjs"]),
  withNode(24, "--permission --allow-addons", "native", ["--permission", "--allow-fs-read=*", "--allow-addons", "main.mjs"]),
  withNode(26, "--permission", "wasm", ["--permission", "--allow-fs-read=*", "--allow-net", "main.mjs"], { quick: true }),
  withNode(24, "--no-addons", "wasm", ["--no-addons", "main.mjs"]),
  withNode(24, "--no-addons, CommonJS", "wasm", ["--no-addons", "main.cjs"]),
  withNode(24, "--jitless", "native", ["--jitless", "main.mjs"]),
];

function withTool(project, name, binding, command, { env = {}, quick = false } = {}) {
  return { project, name, binding, quick, run: (server) => run(open(project).folder, command, { ...server, ...env }) };
}

const others = () => [
  withTool("runtime-bun", "ES module", "native", ["bun", "main.mjs"], { quick: true }),
  withTool("runtime-bun", "CommonJS", "native", ["bun", "main.cjs"]),
  withTool("runtime-bun", "ES module, wasm", "wasm", ["bun", "main.mjs"], { env: { ORGO_BINDING: "wasm" } }),
  withTool("runtime-bun", "CommonJS, wasm", "wasm", ["bun", "main.cjs"], { env: { ORGO_BINDING: "wasm" } }),
  withTool("runtime-bun", "bun test", "native", ["bun", "test", "./works.test.mjs"]),
  withTool("runtime-deno", "ES module", "native", ["deno", "run", "-A", "main.mjs"], { quick: true }),
  withTool("runtime-deno", "CommonJS", "native", ["deno", "run", "-A", "main.cjs"]),
  withTool("runtime-deno", "ES module, wasm", "wasm", ["deno", "run", "-A", "main.mjs"], { env: { ORGO_BINDING: "wasm" } }),
  withTool("runtime-deno", "CommonJS, wasm", "wasm", ["deno", "run", "-A", "main.cjs"], { env: { ORGO_BINDING: "wasm" } }),
  withTool("runtime-deno", "without --allow-ffi", "wasm", [
    "deno",
    "run",
    "--allow-read",
    "--allow-env",
    "--allow-net",
    "main.mjs",
  ]),
  withTool("runtime-deno", "with --allow-net and --allow-env only", "wasm", [
    "deno",
    "run",
    "--allow-env",
    "--allow-net",
    "main.mjs",
  ]),
];

export const runtimes = () => [...nodes(), ...options(), ...others()];
