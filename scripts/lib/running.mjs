// Reads and writes the record of a running `npm start`. The record contains the URL of the dashboard, so that a second
// `npm start` can open it.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, output, root } from "./step.mjs";

/** The name of the record's file in the desktop's data folder. Only the desktop's account can read the folder. */
const FILE = "npm-start.json";
/** The time limit for another `npm start` to start its dashboard, or for a desktop to shut down, in ms. */
const TIMEOUT_MS = 20_000;
const INTERVAL_MS = 100;

/**
 * Finds the local desktop that uses the data folder, and the dashboard of this desktop if there is one. Waits while the
 * desktop starts or shuts down.
 *
 * @param {string} program the path of `orgo-desktop`
 * @param {string[]} place the `--data-dir` option, or nothing for the default folder
 * @returns {Promise<undefined | { pid: number, base_url: string, realtime_url: string, data_dir: string,
 *   dashboard?: { url: string, folder: string, pid: number } }>}
 */
export async function findRunning(program, place) {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const status = JSON.parse((await output(program, ["status", "--json", ...place])) ?? "{}");
    if (!status.running) return undefined;
    if (status.base_url) {
      const dashboard = readRecord(status.data_dir);
      if (dashboard && (await responds(dashboard.url))) return { ...status, dashboard };
      // The desktop was started manually, or its `npm start` was killed. If another process now has the id of the killed
      // `npm start`, only the timeout ends the wait.
      if (!dashboard || !isAlive(dashboard.pid) || Date.now() > deadline) return status;
    }
    if (Date.now() > deadline) {
      throw new Failure(
        `Process ${status.pid ?? "?"} uses ${status.data_dir} and is not ready after ${TIMEOUT_MS / 1000} s. End it, or use another --data-dir.`,
      );
    }
    await sleep(INTERVAL_MS);
  }
}

/**
 * Writes the record. A record without `url` means that this `npm start` is still starting. Another `npm start` that
 * finds the desktop then waits for the URL.
 *
 * @returns {() => void} a function that removes the record
 */
export function writeRecord(folder, url) {
  const file = join(folder, FILE);
  writeFileSync(file, JSON.stringify({ url, pid: process.pid, folder: root }), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** Returns the API key that a desktop stored in its data folder, or `undefined` if the folder contains none. */
export function storedApiKey(folder) {
  try {
    return readFileSync(join(folder, "api-key"), "utf8").trim();
  } catch {
    return undefined;
  }
}

function readRecord(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, FILE), "utf8"));
  } catch {
    return undefined;
  }
}

async function responds(url) {
  if (!url) return false;
  try {
    await fetch(new URL("/", url), { redirect: "manual", signal: AbortSignal.timeout(2000) });
    return true;
  } catch {
    return false;
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}
