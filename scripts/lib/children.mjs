// Starts programs that end when this process ends for any reason. The standard input of each program is a pipe. Only
// this process has the other end of the pipe, so the kernel closes the pipe when this process ends.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const LIFELINE = fileURLToPath(new URL("lifeline.mjs", import.meta.url));

/** The time limit for a program to end after its input was closed, in ms. */
const GRACE_MS = 10_000;

/** The running programs, in the order of their start. @type {Child[]} */
const running = [];

/** @typedef {{ process: import("node:child_process").ChildProcess, ended: Promise<number | string> }} Child */

/**
 * Starts a program in its own session, so Ctrl-C reaches only this process.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {object} options
 * @param {string} options.cwd
 * @param {Record<string, string>} [options.env] additional variables
 * @param {"stdout" | "all"} [options.reads] the output that this process reads; the rest is printed to the terminal
 * @param {boolean} [options.endsWithInput] whether the program exits when its input is closed
 * @returns {Child} `ended` resolves with the exit code, the signal that ended the program, or the reason why it did not
 *   start
 */
export function startChild(command, args, { cwd, env = {}, reads, endsWithInput = false }) {
  const line = endsWithInput ? [command, ...args] : [process.execPath, LIFELINE, command, ...args];
  const child = spawn(line[0], line.slice(1), {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["pipe", reads ? "pipe" : "inherit", reads === "all" ? "pipe" : "inherit"],
    detached: true,
  });
  // The program may have ended, or may not have started.
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

/** Ends all running programs, the last started first. Resolves when all have ended. */
export async function endChildren() {
  for (const child of [...running].reverse()) {
    child.process.stdin.end();
    const timer = setTimeout(() => child.process.kill("SIGKILL"), GRACE_MS);
    await child.ended;
    clearTimeout(timer);
  }
}

/** Kills all running programs immediately. */
export function killChildren() {
  for (const { process: child } of running) child.kill("SIGKILL");
}
