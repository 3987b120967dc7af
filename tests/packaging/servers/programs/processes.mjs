// Uses the package in the processes of a cluster. Processes that end while channels are open keep their exit code.
import assert from "node:assert/strict";
import cluster from "node:cluster";
import { once } from "node:events";
import * as sdk from "orgo-sdk";
import { beBusy } from "./busy.mjs";
import { work } from "./work.mjs";

const TASKS = {
  async work() {
    await work(sdk);
    cluster.worker.disconnect();
  },
  async exit() {
    await beBusy();
    process.exit(5);
  },
  async throw() {
    await beBusy();
    setImmediate(() => {
      throw new Error("expected");
    });
  },
  async reject() {
    await beBusy();
    Promise.reject(new Error("expected"));
  },
  async wait() {
    await beBusy();
    process.send("busy");
  },
};
const EXPECTED = { work: [0, null], exit: [5, null], throw: [1, null], reject: [1, null] };

/** Returns the exit code and the signal of a process. */
async function ended(task, signal) {
  const worker = cluster.fork({ TASK: task });
  const exit = once(worker, "exit");
  if (signal) {
    await once(worker, "message");
    worker.process.kill(signal);
  }
  return exit;
}

if (cluster.isPrimary) {
  await work(sdk);
  for (const [task, expected] of Object.entries(EXPECTED)) assert.deepEqual(await ended(task), expected, task);
  for (const signal of ["SIGINT", "SIGTERM"]) assert.deepEqual(await ended("wait", signal), [null, signal]);
} else {
  await TASKS[process.env.TASK]();
}
