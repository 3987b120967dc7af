// Runs a program that ends when the parent of this process ends for any reason: `node lifeline.mjs COMMAND ...`.
//
// The standard input of this process is a pipe. Only the parent has the other end, so the pipe closes when the parent
// ends. The program runs in its own process group. This process ends the whole group, because a build is a tree of
// processes.
import { spawn } from "node:child_process";

/** The time limit for the program to end after SIGTERM, in ms. */
const GRACE_MS = 5000;

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], detached: true });
let ending = false;

function signalGroup(signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The process group is empty.
  }
}

function end() {
  if (ending || child.pid === undefined) return;
  ending = true;
  signalGroup("SIGTERM");
  setTimeout(() => signalGroup("SIGKILL"), GRACE_MS).unref();
}

child.once("error", (error) => {
  console.error(`${command}: ${error.message}`);
  process.exit(127);
});
child.once("exit", (code, signal) => {
  // Processes that the program started may still be in the group.
  if (ending) signalGroup("SIGKILL");
  if (signal === null) process.exit(code);
  for (const name of ENDINGS) process.removeAllListeners(name);
  process.kill(process.pid, signal);
});
const ENDINGS = ["SIGHUP", "SIGINT", "SIGTERM"];
for (const name of ENDINGS) process.on(name, end);
process.stdin.once("error", end).once("end", end).resume();
