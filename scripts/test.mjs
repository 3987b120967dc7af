// Runs all tests: `npm test`. With names, runs only these suites, for example `npm test -- rust e2e`. With `--full`
// (`npm run test:full`), runs the long tests completely instead of a sample of them.
import { join } from "node:path";
import { argv } from "node:process";
import { build } from "./build.mjs";
import { globSync } from "./lib/glob.mjs";
import { Failure, main, root, run, step, steps } from "./lib/step.mjs";
import { lint } from "./lint.mjs";

/** The test results of all suites. */
const total = { passed: 0, failed: 0, skipped: 0 };

/** The core's tests that also run in WebAssembly. The audio tests do not, because they would take minutes. */
const CORE_TESTS = ["--features", "screen", "--test", "calls", "--test", "sessions", "--test", "simulation", "--test", "screen"];

/** The default suites, in the order in which they run: fast suites with the clearest failures run first. */
const suites = {
  lint,
  "sans-io": () => run(process.execPath, ["scripts/check-core.mjs"]),
  rust: () => counted("cargo", ["test", "--workspace", "--all-features", "--no-fail-fast"]),
  "core-in-wasm": () =>
    counted("cargo", ["test", "--package", "orgo-core", "--lib", ...CORE_TESTS, "--target", "wasm32-wasip1"], {
      CARGO_TARGET_WASM32_WASIP1_RUNNER: `${process.execPath} --no-warnings ${join(root, "tests/wasi-runner.mjs")}`,
      // All schedules run natively. A sample is enough to show that WebAssembly gives the same results.
      ORGO_SCHEDULES: "100",
    }),
  "wasm-in-chromium": () => counted("wasm-pack", ["test", "--headless", "--chrome", "--mode", "no-install", "wasm"]),
  npm: () => nodeTests("npm/test/*.test.mjs"),
  addon: () => nodeTests("node/test/*.test.mjs"),
  dashboard: () => counted("npm", ["test", "--silent", "--workspace", "examples/dashboard"]),
  release: () => nodeTests("tests/release/*.test.mjs"),
  packaging: () => nodeTests("tests/packaging/*.test.mjs"),
  faults: () => nodeTests("tests/faults/*.test.mjs"),
  conformance: () => nodeTests("tests/conformance/*.test.mjs"),
  desktop: () => nodeTests("tests/desktop/*.test.mjs"),
  bindings: () => nodeTests("tests/bindings/*.test.mjs"),
  input: () => nodeTests("tests/input/*.test.mjs"),
  start: () => nodeTests("tests/start/*.test.mjs"),
  secrets: () => nodeTests("tests/secrets/*.test.mjs"),
  bench: () => nodeTests(...["node", "browser", "click", "screen"].map((name) => `tests/bench/${name}/*.test.mjs`)),
  instructions: () => nodeTests("tests/instructions/*.test.mjs"),
  leaks: () => nodeTests("tests/leaks/*.test.mjs"),
  e2e: () => nodeTests("tests/e2e/*.test.mjs"),
  browser: () => nodeTests("tests/browser/*.test.mjs"),
};

/** Suites that need programs or files that `setup` and `build` do not provide. They run only if they are named. */
const optional = {
  // Tests the addons that `npm run addons` has built.
  addons: () => nodeTests("tests/addons/*.test.mjs"),
  // Need Firefox in PATH or in ORGO_FIREFOX, and Debian's webkit2gtk-driver. `npm run test:full` runs them if they are installed.
  firefox: () => nodeTests("tests/firefox/*.test.mjs"),
  webkit: () => nodeTests("tests/webkit/*.test.mjs"),
};

function nodeTests(...patterns) {
  const files = patterns.flatMap((pattern) => {
    const found = globSync(pattern);
    if (found.length === 0) throw new Failure(`No test file matches ${pattern}`);
    return found;
  });
  return counted(process.execPath, ["--test", "--test-reporter=spec", "--test-concurrency=1", ...files]);
}

/** Runs a test runner, shows its output, and adds its counts to the total. */
async function counted(command, args, env = {}) {
  let text = "";
  try {
    await run(command, args, { env, onOutput: (chunk) => (text += chunk) });
  } finally {
    const sum = (pattern) => [...text.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
    // The first pattern matches the summary of cargo and wasm-pack, the second that of Node's test runner.
    total.passed += sum(/^test result: .* (\d+) passed;/gm) + sum(/^(?:ℹ|#) pass (\d+)$/gm);
    total.failed += sum(/^test result: .* (\d+) failed;/gm) + sum(/^(?:ℹ|#) fail (\d+)$/gm);
    total.skipped += sum(/^test result: .* (\d+) ignored;/gm) + sum(/^(?:ℹ|#) skipped (\d+)$/gm);
  }
}

await main(async () => {
  const names = argv.slice(2).filter((name) => name !== "--full");
  if (argv.includes("--full")) process.env.ORGO_FULL = "1";
  for (const name of names) {
    if (!suites[name] && !optional[name])
      throw new Failure(`Unknown suite ${name}. Suites: ${Object.keys({ ...suites, ...optional }).join(", ")}`);
  }
  await build({ test: true });
  const failures = [];
  const selected = names.length > 0 ? names : Object.keys(suites);
  const missing = [];
  if (argv.includes("--full") && names.length === 0) {
    // The files need the installed npm packages.
    const { findFirefox } = await import("../tests/support/firefox.mjs");
    const { findWebKit } = await import("../tests/support/webkit.mjs");
    (findFirefox() === undefined ? missing : selected).push("firefox");
    (findWebKit() === undefined ? missing : selected).push("webkit");
  }
  for (const name of selected) {
    try {
      await step(`Test: ${name}`, suites[name] ?? optional[name]);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      console.error(`✗ ${error.message}`);
      failures.push(name);
    }
  }
  console.log("\nTimes");
  for (const { name, seconds } of steps()) console.log(`${seconds.toFixed(1).padStart(8)} s  ${name}`);
  for (const name of missing) console.log(`\nNot tested: ${name}, because it is not installed`);
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  if (failures.length > 0) throw new Failure(`Failed: ${failures.join(", ")}`);
});
