// Test runners, and programs that run TypeScript.
import { open, row, run } from "./project.mjs";

const BINDINGS = ["native", "wasm"];

function runner(project, name, binding, command, { variables, major = 24, quick } = {}) {
  return row(
    project,
    name,
    binding,
    (env) => run(open(project).folder, command, { env: { ...env, ...variables }, major }),
    quick,
  );
}

/** The rows of a test runner with both bindings. */
const both = (project, name, command, { variables, quick } = {}) =>
  BINDINGS.map((binding) => {
    const selected = { ...variables, ORGO_BINDING: binding };
    return runner(project, `${name}, ${binding}`, binding, command, { variables: selected, quick });
  });

const jest = (name, options, quick) => both("jest", `${name}, CommonJS`, `jest ${options} works.test.cjs`, { quick });
const jestModules = (name, options) =>
  both("jest", `${name}, ES module`, `jest ${options} works.test.mjs`, {
    variables: { NODE_OPTIONS: "--experimental-vm-modules" },
  });

const vitest = (options, quick) => both("vitest", options, `vitest run ${options}`, { quick });

const typescript = (name, command, major) => runner("typescript-runners", name, "native", command, { major });

export const runners = () => [
  ...jest("node", "--config jest.config.json", true),
  ...jestModules("node", "--config jest.config.json"),
  ...jest("jsdom", "--config jsdom.config.json", true),
  ...jestModules("jsdom", "--config jsdom.config.json"),
  ...vitest("--pool threads"),
  ...vitest("--pool forks"),
  ...vitest("--pool vmThreads", true),
  ...vitest("--environment jsdom"),
  runner("runtime-node-24", "node --test", "native", "node --test works.test.mjs"),
  runner("runtime-bun", "bun test", "native", "bun test ./works.test.mjs"),
  typescript("tsx, ES module", "tsx main.mts"),
  typescript("tsx, CommonJS", "tsx main.cts"),
  typescript("ts-node, ES module", "node --loader ts-node/esm main.mts"),
  typescript("ts-node, CommonJS", "ts-node main.cts"),
  typescript("ts-node with swc, CommonJS", "ts-node --swc main.cts"),
  ...[22, 24, 26].map((major) => typescript(`types removed by Node ${major}`, "node main.mts", major)),
];
