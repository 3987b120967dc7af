// Installs components of the Rust toolchain, Cargo tools and npm packages.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Failure, output, root, run } from "./step.mjs";
import { note } from "./tasks.mjs";

/** The folder for tools whose required version is not in PATH. All checkouts share this folder. */
const toolRoot = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "orgo-sdk", "tools");

const WASM_PACK = "0.15";
const CARGO_FUZZ = "0.13";
const CARGO_ZIGBUILD = "0.24.1";
const ZIG = "0.17.1";

/** Adds the folders of `toolRoot`, npm packages and Cargo to PATH, for this process and its children. */
export function usePaths() {
  const own = [join(toolRoot, "bin"), join(root, "node_modules", ".bin")];
  process.env.PATH = [...own, process.env.PATH ?? "", join(homedir(), ".cargo", "bin")].join(delimiter);
}

/** Checks that Rust is installed, and installs the standard library of each target. */
export async function ensureRust(targets) {
  if ((await output("cargo", ["--version"])) === undefined) {
    throw new Failure("Rust is not installed. Install stable Rust from https://rustup.rs, then try again.");
  }
  await ensureRustTargets(targets);
}

/** Installs the standard library of each target. */
export async function ensureRustTargets(targets) {
  for (const target of targets) {
    const folder = await output("rustc", ["--print", "target-libdir", "--target", target]);
    if (folder !== undefined && existsSync(folder.trim())) continue;
    note(`adding the target ${target}`);
    await run("rustup", ["target", "add", target]);
  }
}

/**
 * Installs wasm-pack, and the locked version of the wasm-bindgen CLI, which wasm-pack would otherwise download. The lock files of the
 * tools are not used: with the same versions of their common dependencies, Cargo compiles these once.
 */
export async function ensureWasmPack() {
  const bindgen = lockedVersion("wasm-bindgen");
  await withBuildFolder(async (build) => {
    await ensureTool("wasm-bindgen", bindgen, build, ["wasm-bindgen-cli", "--version", bindgen, "--no-default-features"]);
    await ensureTool("wasm-pack", WASM_PACK, build, ["wasm-pack", "--version", `^${WASM_PACK}`]);
  });
}

/** Installs the tool that builds and runs the fuzzers. */
export async function ensureCargoFuzz() {
  await withBuildFolder((build) =>
    ensureTool("cargo-fuzz", CARGO_FUZZ, build, ["cargo-fuzz", "--version", `^${CARGO_FUZZ}`, "--locked"]),
  );
}

/**
 * Installs the tools that link addons for other platforms, in a Python environment, and adds this environment to PATH.
 * Zig contains linkers and C libraries of all platforms except Windows, in all versions.
 */
export async function ensureZig() {
  const folder = join(toolRoot, "zig");
  const python = join(folder, "bin/python");
  const required = [`cargo-zigbuild==${CARGO_ZIGBUILD}`, `ziglang==${ZIG}`];
  const installed = await output(python, ["-m", "pip", "freeze"]);
  if (required.every((it) => installed?.split("\n").includes(it))) note(required.join(", "));
  else {
    note(`installing ${required.join(", ")} from PyPI`);
    await run("python3", ["-m", "venv", "--clear", folder]);
    await run(python, ["-m", "pip", "install", "--quiet", ...required]);
  }
  process.env.PATH = [join(folder, "bin"), process.env.PATH].join(delimiter);
}

/**
 * The variables with which Cargo compiles a tool in the shortest time. The tools process small files, so a fast program would
 * save less time than its optimization takes.
 */
const FAST_BUILD = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "1",
  CARGO_PROFILE_RELEASE_DEBUG: "false",
  CARGO_PROFILE_RELEASE_STRIP: "symbols",
};

/** Passes a temporary folder to `work`. Tools that are compiled in one folder share their common dependencies. */
async function withBuildFolder(work) {
  const build = mkdtempSync(join(tmpdir(), "orgo-tools-"));
  try {
    await work(build);
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
}

/** Installs a tool if PATH does not contain its version: with cargo-binstall if that is installed, otherwise from its source. */
async function ensureTool(program, version, build, install) {
  const found = async () => {
    const text = (await output(program, ["--version"]))?.trim();
    return text?.split(" ")[1]?.startsWith(version) ? text : undefined;
  };
  const installed = await found();
  if (installed !== undefined) return note(installed);
  if ((await output("cargo", ["binstall", "-V"])) !== undefined) {
    note(`downloading ${program} ${version}`);
    const binstall = ["binstall", "--no-confirm", "--disable-strategies", "compile", "--root", toolRoot];
    await output("cargo", [...binstall, `${install[0]}@${version}`]);
    if ((await found()) !== undefined) return;
  }
  note(`building ${program} ${version} (only once)`);
  await run("cargo", ["install", "--root", toolRoot, ...install], { env: { ...FAST_BUILD, CARGO_TARGET_DIR: build } });
}

/** Returns the version that Cargo.lock contains for a crate. */
export function lockedVersion(crate) {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const version = new RegExp(`name = "${crate}"\nversion = "([^"]+)"`).exec(lock)?.[1];
  if (version === undefined) throw new Failure(`Cargo.lock does not contain ${crate}`);
  return version;
}

export async function ensureNpm() {
  const lock = join(root, "package-lock.json");
  const installed = join(root, "node_modules", ".package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) {
    note("all installed");
    return;
  }
  await run("npm", ["ci", "--no-audit", "--no-fund"]);
}
