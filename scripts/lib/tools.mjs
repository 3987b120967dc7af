// Installs components of the Rust toolchain, Cargo tools and npm packages.
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { Failure, output, root, run } from "./step.mjs";

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

export async function ensureRust() {
  if ((await output("cargo", ["--version"])) === undefined) {
    throw new Failure("Rust is not installed. Install stable Rust from https://rustup.rs, then try again.");
  }
  await ensureRustTargets(["wasm32-unknown-unknown", "wasm32-wasip1"]);
}

/** Installs the standard library of each target. */
export async function ensureRustTargets(targets) {
  for (const target of targets) {
    const folder = await output("rustc", ["--print", "target-libdir", "--target", target]);
    if (folder !== undefined && existsSync(folder.trim())) continue;
    console.log(`  adding the target ${target}`);
    await run("rustup", ["target", "add", target]);
  }
}

/** Installs wasm-pack, and the locked version of the wasm-bindgen CLI, which wasm-pack would otherwise download. */
export async function ensureWasmTools() {
  const bindgen = lockedVersion("wasm-bindgen");
  await ensureTool("wasm-bindgen", bindgen, ["wasm-bindgen-cli", "--version", bindgen, "--no-default-features"]);
  await ensureTool("wasm-pack", WASM_PACK, ["wasm-pack", "--version", `^${WASM_PACK}`, "--locked"]);
}

/** Installs the tool that builds and runs the fuzzers. */
export async function ensureCargoFuzz() {
  await ensureTool("cargo-fuzz", CARGO_FUZZ, ["cargo-fuzz", "--version", `^${CARGO_FUZZ}`, "--locked"]);
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
  if (required.every((it) => installed?.split("\n").includes(it))) console.log(`  ${required.join(", ")}`);
  else {
    console.log(`  installing ${required.join(", ")} from PyPI`);
    await run("python3", ["-m", "venv", "--clear", folder]);
    await run(python, ["-m", "pip", "install", "--quiet", ...required]);
  }
  process.env.PATH = [join(folder, "bin"), process.env.PATH].join(delimiter);
}

async function ensureTool(program, version, install) {
  const found = await output(program, ["--version"]);
  if (found?.trim().split(" ")[1]?.startsWith(version)) {
    console.log(`  ${found.trim()}`);
    return;
  }
  console.log(`  building ${program} ${version} (only once, takes some minutes)`);
  await run("cargo", ["install", "--quiet", "--root", toolRoot, ...install]);
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
    console.log("  all installed");
    return;
  }
  await run("npm", ["ci", "--no-audit", "--no-fund"]);
}
