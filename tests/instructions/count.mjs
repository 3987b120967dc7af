// Counts instructions with valgrind.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const program = `${process.env.CARGO_TARGET_DIR ?? `${root}/target`}/release/examples/hot_paths`;

/** The hot paths, and the numbers of repetitions whose difference is measured. */
export const PATHS = { terminal: [64, 320], events: [64, 1088], audio: [64, 576], click: [10, 110], screenshot: [2, 6] };

export async function build() {
  await run("cargo", ["build", "--release", "--package", "orgo-core", "--features", "driver,simd", "--example", "hot_paths"], {
    cwd: root,
  });
}

/** Returns the version of the compiler, and the processor architecture. */
export async function compiler() {
  const { stdout } = await run("rustc", ["--version"], { cwd: root });
  return `${stdout.trim()} ${process.arch}`;
}

/** Returns the number of instructions of one repetition. */
export async function count(name) {
  const [few, many] = PATHS[name];
  const [less, more] = [await instructions(name, few), await instructions(name, many)];
  return Math.round((more - less) / (many - few));
}

async function instructions(name, repetitions) {
  const options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
  const { stderr } = await run("valgrind", [...options, program, name, String(repetitions)]);
  const found = /Collected\s*:\s*(\d+)/.exec(stderr);
  if (found === null) throw new Error(`valgrind printed no count:\n${stderr}`);
  return Number(found[1]);
}
