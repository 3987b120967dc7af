// Runs tasks at the same time. Shows their progress, and the output of a task only if it fails or warns.
import { AsyncLocalStorage } from "node:async_hooks";
import { performance } from "node:perf_hooks";
import { endChildren } from "./children.mjs";
import { readProgress } from "./progress.mjs";

/** The number of lines of a task's output that are kept. */
const KEPT_LINES = 200;
/** The time between two lines of progress, in ms. A terminal shows one line that is updated. */
const PROGRESS_MS = process.stdout.isTTY ? 1000 : 20_000;

/** The task whose code is running. @type {AsyncLocalStorage<Task>} */
const current = new AsyncLocalStorage();
/** The running tasks. @type {Set<Task>} */
const running = new Set();
const finished = [];

/** Returns the task whose code is running, or `undefined` outside a task. */
export const currentTask = () => current.getStore();

/** Returns the names of the finished tasks and steps, and their durations in seconds. */
export const steps = () => finished;

export function recordStep(name, start) {
  const seconds = (performance.now() - start) / 1000;
  finished.push({ name, seconds });
  print(`  ${name}: ${seconds.toFixed(1)} s`);
}

/** Prints a remark about the current task or step. */
export function note(text) {
  const task = currentTask();
  print(task === undefined ? `  ${text}` : `  ${task.name}: ${text}`);
}

/**
 * Runs each task as soon as the tasks that it needs have ended. After the first failure, ends the programs of the other
 * tasks, and throws the failure.
 *
 * @param {Record<string, { needs?: string[], work: () => Promise<unknown> }>} tasks Needed tasks that are not in the record count as
 *   done.
 */
export async function runTasks(tasks) {
  const results = new Map();
  let failed = false;
  const start = (name) => {
    const { needs = [], work } = tasks[name];
    if (!results.has(name)) {
      const needed = Promise.all(needs.filter((need) => tasks[need]).map(start));
      results.set(
        name,
        needed.then(() => (failed ? undefined : new Task(name).run(work))),
      );
    }
    return results.get(name);
  };
  const begin = performance.now();
  const ticker = setInterval(() => showProgress(Math.round((performance.now() - begin) / 1000)), PROGRESS_MS);
  try {
    await Promise.all(Object.keys(tasks).map(start));
  } catch (error) {
    failed = true;
    await endChildren();
    throw error;
  } finally {
    clearInterval(ticker);
    print("");
  }
}

class Task {
  #lines = [];
  #partial = "";
  #start = performance.now();
  #progress = "";

  constructor(name) {
    this.name = name;
  }

  async run(work) {
    running.add(this);
    print(`▸ ${this.name}`);
    try {
      await current.run(this, work);
    } catch (error) {
      this.#show();
      throw error;
    } finally {
      running.delete(this);
    }
    if (this.#lines.some((line) => /^warning\b|^▲ /.test(line))) this.#show();
    recordStep(this.name, this.#start);
  }

  /** Adds output of a program that the task runs. */
  add(text) {
    const lines = (this.#partial + text).split(/\r\n|\r|\n/);
    this.#partial = lines.pop();
    for (const line of lines) {
      const progress = readProgress(line);
      if (progress !== undefined) this.#progress = progress;
      else if (line.trim() !== "") this.#lines.push(line);
    }
    if (this.#lines.length > KEPT_LINES) this.#lines.splice(0, this.#lines.length - KEPT_LINES);
  }

  /** Names the program that the task runs now. */
  begin(program) {
    this.#progress = program;
  }

  get progress() {
    return `${this.name}${this.#progress && ` (${this.#progress})`}`;
  }

  #show() {
    print([...this.#lines, this.#partial].join("\n").trimEnd());
  }
}

function showProgress(seconds) {
  const text = `  … ${seconds} s: ${[...running].map((task) => task.progress).join(", ")}`;
  if (running.size === 0) return;
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text.slice(0, process.stdout.columns - 1)}`);
  else console.log(text);
}

/** Prints lines in place of the line of progress. */
function print(text) {
  if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
  if (text !== "") console.log(text);
}
