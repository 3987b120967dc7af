// What `npm start` left word of: where its dashboard is, for a second `npm start`.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, output, root } from "./step.mjs";

/** In the data folder of the desktop, which only its account can read. */
const FILE = "npm-start.json";
/** How long a first `npm start` may take from its desktop to its dashboard, and a server to end. */
const PATIENCE = 20_000;
const INTERVAL = 100;

/**
 * Finds the local desktop that uses the data folder, with its dashboard if it has one. Waits for one that is on its way
 * up or down.
 *
 * @param {string} program the local desktop's
 * @param {string[]} place `--data-dir`, if it is not the default
 * @returns {Promise<undefined | { pid: number, base_url: string, realtime_url: string, data_dir: string,
 *   dashboard?: { url: string, folder: string, pid: number } }>}
 */
export async function findRunning(program, place) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const status = JSON.parse((await output(program, ["status", "--json", ...place])) ?? "{}");
    if (!status.running) return undefined;
    if (status.base_url) {
      const dashboard = readRecord(status.data_dir);
      if (dashboard && (await answers(dashboard.url))) return { ...status, dashboard };
      // Started by hand, without a dashboard; or another process has the number of an `npm start` that was killed.
      if (!dashboard || !isAlive(dashboard.pid) || Date.now() > deadline) return status;
    }
    if (Date.now() > deadline) {
      throw new Failure(
        `${status.data_dir} is used by process ${status.pid ?? "?"}, which does not get ready. End it, or use --data-dir.`,
      );
    }
    await sleep(INTERVAL);
  }
}

/**
 * Says that this `npm start` is on its way, or where its dashboard is. Others that find the desktop wait for the latter.
 *
 * @returns {() => void} takes it back
 */
export function leaveWord(folder, url) {
  const file = join(folder, FILE);
  writeFileSync(file, JSON.stringify({ url, pid: process.pid, folder: root }), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** The key of a server that keeps it in its data folder. */
export function keptKey(folder) {
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

async function answers(url) {
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
