// Runs the steps of a script one after another and says what each one took.
import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

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

/** Runs a command in the project's root and shows its output. Fails with the command if it does. */
export function run(command, args, { env = {}, cwd = root, onOutput } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", onOutput ? "pipe" : "inherit", "inherit"],
    });
    if (onOutput) {
      child.stdout.setEncoding("utf8");
      child.stdout.on("data", (text) => {
        process.stdout.write(text);
        onOutput(text);
      });
    }
    child.once("error", (error) => reject(new Failure(`${command}: ${error.message}`)));
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Failure(`${[command, ...args].join(" ")} ended with ${signal ?? code}`));
    });
  });
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
