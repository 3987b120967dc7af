// Installs the missing dependencies of the project: `npm run setup [-- --test]`.
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { ensurePackages, readList } from "./lib/packages.mjs";
import { Failure, main } from "./lib/step.mjs";
import { runTasks } from "./lib/tasks.mjs";
import { ensureNpm, ensureRust, ensureWasmPack, usePaths } from "./lib/tools.mjs";

/**
 * Returns the tasks that install the missing dependencies.
 *
 * @param {{ test?: boolean, desktop?: boolean }} options `test`: install the dependencies of the tests; `desktop`:
 *   install the dependencies of the local desktop
 */
export function setupTasks({ test = false, desktop = true } = {}) {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) throw new Failure(`Node 20 or newer is required; this is ${process.version}`);
  if (process.platform !== "linux" && (test || desktop)) {
    throw new Failure("The local desktop needs Linux. With ORGO_API_KEY set, `npm start` works elsewhere too.");
  }
  usePaths();
  return {
    "Debian packages": { work: () => ensurePackages(debianPackages({ test, desktop }), test ? "npm test" : "The local desktop") },
    // The tests run the core in WASI.
    Rust: { work: () => ensureRust(["wasm32-unknown-unknown", ...(test ? ["wasm32-wasip1"] : [])]) },
    "wasm-pack": { needs: ["Rust"], work: ensureWasmPack },
    "npm packages": { work: ensureNpm },
  };
}

function debianPackages({ test, desktop }) {
  const packages = desktop ? readList("desktop/packages.txt") : [];
  if (!test) return packages;
  // The tests also need the optional packages.
  const all = [...packages, ...readList("tests/packages.txt")];
  return [...new Map(all.map((it) => [it.name, { ...it, optional: false }])).values()];
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  await main(() => runTasks(setupTasks({ test: argv.includes("--test") })));
}
