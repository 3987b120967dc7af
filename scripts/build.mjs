// Builds all targets or the named ones in release mode: `npm run build [-- wasm addon npm dashboard desktop]`. Skips targets that
// are up to date.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { anonymous, cargoTarget } from "./lib/cargo.mjs";
import { compileModules, MODULES, packModule, playoutModule } from "./lib/modules.mjs";
import { OPTIMIZE, RUSTC, shrink } from "./lib/shrink.mjs";
import { Failure, main, output, root, run } from "./lib/step.mjs";
import { addonFile, addonLibrary, localTarget } from "./lib/targets.mjs";
import { note, runTasks } from "./lib/tasks.mjs";
import { setupTasks } from "./setup.mjs";

const wasmSources = [
  "Cargo.lock",
  "Cargo.toml",
  "core",
  "wasm",
  "scripts/build.mjs",
  "scripts/lib/cargo.mjs",
  "scripts/lib/modules.mjs",
  "scripts/lib/shrink.mjs",
];

const wasmOut = join(root, "npm/dist/wasm");

const npmSources = ["npm/src", "npm/scripts", "npm/package.json", "npm/tsconfig.json", "package-lock.json"];

/** The tasks of each build target. */
const targets = {
  wasm: {
    // A separate task, because wasm-pack is often compiled at the same time.
    "Compile: wasm": { needs: ["Rust"], work: () => unlessFresh("wasm", wasmSources, wasmOut, compileModules, { done: false }) },
    "Build: wasm": {
      needs: ["Compile: wasm", "wasm-pack", "npm packages"],
      work: () => unlessFresh("wasm", wasmSources, wasmOut, buildWasm),
    },
  },
  addon: { "Build: addon": { needs: ["Rust"], work: buildAddon } },
  npm: {
    "Build: npm": {
      needs: ["npm packages", "Build: wasm"],
      // A build of the modules removes this result, even if the sources are the same as in the last build of the package.
      work: () => unlessFresh("npm", [...wasmSources, ...npmSources], join(wasmOut, "rest.js"), buildNpm),
    },
  },
  dashboard: {
    "Build: dashboard": {
      needs: ["npm packages", "Build: npm"],
      work: () => run("npm", ["run", "--silent", "build", "--workspace", "examples/dashboard"]),
    },
  },
  desktop: {
    "Build: desktop": {
      // The last part of the addon's build uses one core, so the desktop is the last target.
      needs: ["Rust", "Build: addon"],
      work: () => run("cargo", ["build", "--package", "orgo-desktop", "--release"]),
    },
  },
};

/**
 * Installs the missing dependencies and builds targets. Both happen at the same time where possible: wasm-pack is
 * compiled while apt-get installs packages and cargo compiles the WebAssembly modules, the addon and the desktop.
 *
 * @param {{ test?: boolean, desktop?: boolean, only?: (keyof typeof targets)[] }} options `test` and `desktop`: see `setupTasks`;
 *   `only`: the targets to build, default all
 */
export async function build({ test, desktop, only = Object.keys(targets) } = {}) {
  const unknown = only.find((name) => !targets[name]);
  if (unknown !== undefined) {
    throw new Failure(`Unknown build target ${unknown}. Targets: ${Object.keys(targets).join(", ")}`);
  }
  await runTasks(Object.assign(setupTasks({ test, desktop }), ...only.map((name) => targets[name])));
}

async function buildWasm() {
  if ((await output("wasm-opt", ["--version"])) === undefined) {
    throw new Failure("wasm-opt is missing from node_modules/.bin: run `npm run setup`");
  }
  rmSync(wasmOut, { recursive: true, force: true });
  const names = [];
  // One after another, because cargo writes the modules of a crate to the same file.
  for (const module of Object.keys(MODULES)) names.push(await packModule(wasmOut, module));
  await Promise.all([
    ...names.map((name) => shrink(wasmOut, name)),
    run("wasm-opt", [...OPTIMIZE, ...RUSTC, "--strip-debug", playoutModule(), "-o", join(root, "target/playout.wasm")]),
  ]);
  for (const name of [".gitignore", "snippets"]) rmSync(join(wasmOut, name), { recursive: true, force: true });
}

async function buildAddon() {
  const target = localTarget();
  if (target === undefined) {
    throw new Failure(`There is no addon for ${process.platform} ${process.arch}. The WebAssembly binding works everywhere.`);
  }
  await run("cargo", ["build", "--package", "orgo-node", "--profile", "addon"], { env: anonymous() });
  const out = join(root, "npm/dist/native");
  mkdirSync(out, { recursive: true });
  const addon = join(out, addonFile(target));
  // A running program may have mapped the old file. It crashes if the content of that file changes, so this makes a new file.
  rmSync(addon, { force: true });
  copyFileSync(join(cargoTarget(), "addon", addonLibrary(target)), addon);
}

async function buildNpm() {
  await run("npm", ["run", "--silent", "build", "--workspace", "npm"]);
}

/**
 * Runs `work` if the inputs have changed since the last run, or if the result is missing. `done` is whether the result is complete
 * after that.
 */
async function unlessFresh(name, inputs, result, work, { done = true } = {}) {
  const stamp = join(root, "target/stamps", name);
  const hash = createHash("sha256");
  for (const input of inputs) addTo(hash, join(root, input));
  const digest = hash.digest("hex");
  if (existsSync(result) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) {
    note("up to date");
    return;
  }
  // If `work` fails, its incomplete result must not count as up to date, even if the inputs are changed back.
  rmSync(stamp, { force: true });
  await work();
  if (!done) return;
  mkdirSync(join(root, "target/stamps"), { recursive: true });
  writeFileSync(stamp, digest);
}

function addTo(hash, path) {
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort()) {
      if (name !== "node_modules" && name !== "target") addTo(hash, join(path, name));
    }
  } else {
    hash.update(path.slice(root.length)).update(readFileSync(path));
  }
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  await main(() => build({ only: argv.length > 2 ? argv.slice(2) : undefined }));
}
