// Tells when npm, or the shell between it and this process, has ended without saying so.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const INTERVAL = 500;

/**
 * Calls back once when a process that npm needs for this script has ended. Does nothing for a script that npm does not
 * run: whoever starts it by hand may leave it to itself.
 */
export function onOrphaned(callback) {
  if (process.env.npm_lifecycle_event === undefined) return;
  // npm starts a shell, which may have become this process.
  const parent = process.ppid;
  const watched = [parent, isShell(parent) ? parentOf(parent) : undefined].filter((pid) => pid > 1);
  const timer = setInterval(() => {
    if (process.ppid === parent && watched.every(isAlive)) return;
    clearInterval(timer);
    callback();
  }, INTERVAL);
  timer.unref();
}

/** State, parent and name of a process, or `undefined` if there is none. */
function stat(pid) {
  try {
    if (process.platform === "linux") {
      // The name, in parentheses, may hold spaces and parentheses itself.
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
  // Whoever has ended stays in the list of processes until its parent has taken note.
  const state = stat(pid)?.state;
  return state !== undefined && !/^[ZX]/.test(state);
}
