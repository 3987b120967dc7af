// Detects when npm, or the shell between npm and this process, has ended.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const INTERVAL_MS = 500;

/**
 * Calls `callback` once, when npm or its shell has ended. Does nothing if npm did not start this script, because a
 * manually started script may outlive its parent.
 */
export function onOrphaned(callback) {
  if (process.env.npm_lifecycle_event === undefined) return;
  // npm starts a shell. The shell may have replaced itself with this process (`exec`).
  const parent = process.ppid;
  const watched = [parent, isShell(parent) ? parentOf(parent) : undefined].filter((pid) => pid > 1);
  const timer = setInterval(() => {
    if (process.ppid === parent && watched.every(isAlive)) return;
    clearInterval(timer);
    callback();
  }, INTERVAL_MS);
  timer.unref();
}

/** Returns the state, parent and name of a process, or `undefined` if the process does not exist. */
function stat(pid) {
  try {
    if (process.platform === "linux") {
      // The name is in parentheses and may itself contain spaces and parentheses.
      const text = readFileSync(`/proc/${pid}/stat`, "utf8");
      const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
      return { state, parent: Number(parent), name: text.slice(text.indexOf("(") + 1, text.lastIndexOf(")")) };
    }
    const text = execFileSync("ps", ["-o", "state=,ppid=,comm=", "-p", String(pid)], { encoding: "utf8" });
    const [state, parent, name] = text.trim().split(/\s+/);
    return { state, parent: Number(parent), name: name.split("/").pop() };
  } catch {
    return undefined;
  }
}

const isShell = (pid) => /^-?(?:ba|da|k|z)?sh$/.test(stat(pid)?.name ?? "");
const parentOf = (pid) => stat(pid)?.parent;

function isAlive(pid) {
  if (process.platform !== "linux") {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }
  // A process that has ended remains as a zombie until its parent waits for it.
  const state = stat(pid)?.state;
  return state !== undefined && !/^[ZX]/.test(state);
}
