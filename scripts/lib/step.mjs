// Runs the steps of a script and reports how long each took.
import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { startChild } from "./children.mjs";

/** The root folder of the project. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** An error whose message is printed without a stack trace. */
export class Failure extends Error {}

const finished = [];

/** Runs `work` as a step: prints the name of the step before it, and the duration after it. */
export async function step(name, work) {
  console.log(`\n▸ ${name}`);
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  finished.push({ name, seconds });
  console.log(`  ${name}: ${seconds.toFixed(1)} s`);
  return result;
}

/** Returns the names of the finished steps and their durations in seconds. */
export function steps() {
  return finished;
}

/**
 * Runs a command in the project's root folder and shows its output. Throws a `Failure` if the command fails. The
 * command ends when this process ends.
 */
export async function run(command, args, { env = {}, cwd = root, onOutput } = {}) {
  const { process: child, ended } = startChild(command, args, { cwd, env, readsOutput: Boolean(onOutput) });
  if (onOutput) {
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (text) => {
      process.stdout.write(text);
      onOutput(text);
    });
  }
  const how = await ended;
  if (how !== 0) throw new Failure(`${[command, ...args].join(" ")} ended with ${how}`);
}

/** Returns the standard output of a command, or `undefined` if it fails or cannot be run. */
export function output(command, args, { env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (chunk) => (text += chunk));
    child.once("error", () => resolve(undefined));
    child.once("close", (code) => resolve(code === 0 ? text : undefined));
  });
}

/** Runs the main function of a script. A `Failure` ends the process with its message, without a stack trace. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(`\n✗ ${error instanceof Failure ? error.message : (error.stack ?? error)}`);
    process.exitCode = 1;
  }
}
