// Starts the server of the benchmark, and measures one variant in a separate process.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root = fileURLToPath(new URL("../../..", import.meta.url));
const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL("measure.mjs", import.meta.url));

/** Builds and starts the server. It ends with this process. */
export async function startPeer() {
  await run("cargo", ["build", "--release", "--package", "orgo-bench-peer"], { cwd: root });
  const program = `${process.env.CARGO_TARGET_DIR ?? `${root}target`}/release/orgo-bench-peer`;
  const peer = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  const [port] = await once(createInterface(peer.stdout), "line");
  return { origin: `127.0.0.1:${port}`, stop: () => peer.stdin.end() };
}

/** Returns the measurement of a variant. `quick` reduces the workload to a size for tests. */
export async function measure(workload, variant, origin, { node = execPath, quick = false } = {}) {
  const { stdout } = await run(node, [SCRIPT, workload, variant, origin, quick ? "quick" : ""], { timeout: 600_000 });
  return JSON.parse(stdout);
}
