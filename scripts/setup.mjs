// Installs the missing dependencies of the project: `npm run setup [-- --test]`. Other scripts call `setup`.
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { ensurePackages, readList } from "./lib/packages.mjs";
import { Failure, main, step } from "./lib/step.mjs";
import { ensureNpm, ensureRust, ensureWasmTools, usePaths } from "./lib/tools.mjs";

/**
 * @param {{ test?: boolean, desktop?: boolean }} options `test`: install the dependencies of the tests; `desktop`:
 *   install the dependencies of the local desktop
 */
export async function setup({ test = false, desktop = true } = {}) {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) throw new Failure(`Node 20 or newer is required; this is ${process.version}`);
  if (process.platform !== "linux" && (test || desktop)) {
    throw new Failure("The local desktop needs Linux. With ORGO_API_KEY set, `npm start` works elsewhere too.");
  }
  usePaths();
  if (desktop) {
    await step("Debian packages for the local desktop", () => {
      const packages = readList("desktop/packages.txt");
      // The tests also need the optional packages.
      return ensurePackages(test ? packages.map((it) => ({ ...it, optional: false })) : packages, "The local desktop");
    });
  }
  if (test) {
    await step("Debian packages for the tests", () => ensurePackages(readList("tests/packages.txt"), "npm test"));
  }
  await step("Rust", ensureRust);
  await step("WebAssembly tools", ensureWasmTools);
  await step("npm packages", ensureNpm);
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  await main(() => setup({ test: argv.includes("--test") }));
}
