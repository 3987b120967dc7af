// Uses the package in worker threads: several at the same time, and threads that end while channels are open.
import assert from "node:assert/strict";
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import * as sdk from "orgo-sdk";
import { beBusy } from "./busy.mjs";
import { work } from "./work.mjs";

const TASKS = {
  work: () => work(sdk),
  async busy() {
    await beBusy();
    parentPort.postMessage("busy");
  },
  async exit() {
    await beBusy();
    process.exit(7);
  },
};

function start(task) {
  return new Worker(new URL(import.meta.url), { workerData: task });
}

/** Returns the exit code of a worker. */
async function ended(worker) {
  const [code] = await once(worker, "exit");
  return code;
}

if (isMainThread) {
  assert.deepEqual(await Promise.all(["work", "work", "work"].map((task) => ended(start(task)))), [0, 0, 0]);
  for (let times = 0; times < 3; times += 1) {
    const worker = start("busy");
    await once(worker, "message");
    await worker.terminate();
  }
  assert.equal(await ended(start("exit")), 7);
  await work(sdk);
} else {
  await TASKS[workerData]();
}
