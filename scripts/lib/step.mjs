// Runs the steps of a script one after another and says what each one took.
import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { startChild } from "./children.mjs";

/** The root of the project. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A failure that is explained by its message alone. */
export class Failure extends Error {}

const taken = [];

/** Runs `work` as a step: its name before, its time after. */
export async function step(name, work) {
  console.log(`\n▸ ${name}`);
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  taken.push({ name, seconds });
  console.log(`  ${name}: ${seconds.toFixed(1)} s`);
  return result;
}

/** What every step so far took, in seconds. */
export function steps() {
  return taken;
}

/**
 * Runs a command in the project's root and shows its output. Fails with the command if it does. Whatever ends this
 * process ends the command too.
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

/** What a command prints, or `undefined` if it cannot be run or fails. */
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

/** Runs a script's main function: a failure ends the process with its message and no stack. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(`\n✗ ${error instanceof Failure ? error.message : (error.stack ?? error)}`);
    process.exitCode = 1;
  }
}
