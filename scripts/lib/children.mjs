// Programs that end with this process, however it ends: each has a pipe for its input, whose other end this process
// alone holds.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const LIFELINE = fileURLToPath(new URL("lifeline.mjs", import.meta.url));

/** How long a program may take to end by itself once it was asked to. */
const GRACE = 10_000;

/** Those that run, the latest last. @type {Child[]} */
const running = [];

/** @typedef {{ process: import("node:child_process").ChildProcess, ended: Promise<number | string> }} Child */

/**
 * Starts a program in a session of its own, so that Ctrl-C reaches this process first.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {object} options
 * @param {string} options.cwd
 * @param {Record<string, string>} [options.env] additional variables
 * @param {boolean} [options.readsOutput] whether this process reads what it prints; it shows otherwise
 * @param {boolean} [options.endsWithInput] whether the program itself ends with its input
 * @returns {Child} `ended` is its exit code, or the signal that ended it, or why it did not start
 */
export function startChild(command, args, { cwd, env = {}, readsOutput = false, endsWithInput = false }) {
  const line = endsWithInput ? [command, ...args] : [process.execPath, LIFELINE, command, ...args];
  const child = spawn(line[0], line.slice(1), {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["pipe", readsOutput ? "pipe" : "inherit", "inherit"],
    detached: true,
  });
  // It may have ended, or never begun.
  child.stdin.on("error", () => {});
  const started = { process: child };
  started.ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(signal ?? code));
  }).then((how) => {
    running.splice(running.indexOf(started), 1);
    return how;
  });
  running.push(started);
  return started;
}

/** Ends what runs, the latest first, and resolves when nothing is left. */
export async function endChildren() {
  for (const child of [...running].reverse()) {
    child.process.stdin.end();
    const timer = setTimeout(() => child.process.kill("SIGKILL"), GRACE);
    await child.ended;
    clearTimeout(timer);
  }
}

/** Ends at once what does not end by itself. */
export function killChildren() {
  for (const { process: child } of running) child.kill("SIGKILL");
}
