// Runs the steps of a script and reports how long each took.
import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { startChild } from "./children.mjs";
import { CARGO_PROGRESS } from "./progress.mjs";
import { currentTask, recordStep } from "./tasks.mjs";

export { steps } from "./tasks.mjs";

/** The root folder of the project. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** An error whose message is printed without a stack trace. */
export class Failure extends Error {}

/** Runs `work` as a step: prints the name of the step before it, and the duration after it. */
export async function step(name, work) {
  console.log(`\n▸ ${name}`);
  const start = performance.now();
  const result = await work();
  recordStep(name, start);
  return result;
}

/**
 * Runs a command in the project's root folder and shows its output. In a task, the task gets the output. Throws a `Failure` if
 * the command fails. The command ends when this process ends.
 */
export async function run(command, args, { env = {}, cwd = root, onOutput } = {}) {
  const task = currentTask();
  const reads = task ? "all" : onOutput && "stdout";
  task?.begin(command);
  const { process: child, ended } = startChild(command, args, {
    cwd,
    env: task ? { ...CARGO_PROGRESS, ...env } : env,
    reads,
  });
  for (const stream of [child.stdout, child.stderr].filter(Boolean)) {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      if (task) task.add(text);
      else process.stdout.write(text);
      if (stream === child.stdout) onOutput?.(text);
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
