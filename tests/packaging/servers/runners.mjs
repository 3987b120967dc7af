// Test runners, and programs that run TypeScript.
import { bindingRows, row } from "./rows.mjs";

const NODE = { major: 24 };
const QUICK = { ...NODE, quick: true };
const CALLS_IN_WASM = { ...NODE, variables: { ORGO_BINDING: "wasm", ORGO_TEST_CALLS_ONLY: "1" } };
/** Jest needs this option for ES modules. */
const JEST_MODULES = { ...NODE, variables: { NODE_OPTIONS: "--experimental-vm-modules" } };

const vitest = (options, settings = NODE) => bindingRows("vitest", `\`${options}\``, `vitest run ${options}`, settings);

const typescript = (mode, command, settings = NODE) => row("typescript-runners", mode, "native", command, settings);

export const runners = () => [
  ...bindingRows("jest", "node, CommonJS", "jest --config node.json works.test.cjs", QUICK),
  ...bindingRows("jest", "node, ES module", "jest --config node.json works.test.mjs", JEST_MODULES),
  row("jest", "jsdom, CommonJS, native", "native", "jest --config jsdom.json works.test.cjs", QUICK),
  row("jest", "jsdom, ES module, native", "native", "jest --config jsdom.json works.test.mjs", JEST_MODULES),
  // The environment has neither `TextDecoder` nor `fetch`.
  row("jest", "jsdom, CommonJS, wasm", "wasm", "jest --config jsdom.json works.test.cjs", {
    ...NODE,
    variables: { ORGO_BINDING: "wasm" },
    refusal: /BindingError: .*TextDecoder/,
  }),
  ...vitest("--pool threads"),
  ...vitest("--pool forks"),
  ...vitest("--pool vmThreads", QUICK),
  row("vitest", "`--environment jsdom`, native", "native", "vitest run --environment jsdom", NODE),
  // Node's `WebSocket` does not accept the events of jsdom.
  row("vitest", "`--environment jsdom`, wasm, calls only", "wasm", "vitest run --environment jsdom", CALLS_IN_WASM),
  row("vitest", "`--environment happy-dom`, native", "native", "vitest run --environment happy-dom", NODE),
  // happy-dom replaces `fetch`, and applies the rules of browsers for other origins.
  row("vitest", "`--environment happy-dom`, wasm", "wasm", "vitest run --environment happy-dom", {
    ...CALLS_IN_WASM,
    refusal: /ConnectionError: .*Cross-Origin Request Blocked/,
  }),
  row("runtime-node-24", "`node --test`", "native", "node --test works.test.mjs", NODE),
  row("runtime-bun", "`bun test`", "native", "bun test ./works.test.mjs"),
  typescript("tsx, ES module", "tsx main.mts"),
  typescript("tsx, CommonJS", "tsx main.cts"),
  typescript("ts-node, ES module", "node --loader ts-node/esm main.mts"),
  typescript("ts-node, CommonJS", "ts-node main.cts"),
  typescript("ts-node with swc, CommonJS", "ts-node --swc main.cts"),
  ...[22, 24, 26].map((major) => typescript(`types removed by Node ${major}`, "node main.mts", { major })),
];
