// Runs a program that ends with the process that started this one, however that ends: `node lifeline.mjs COMMAND ...`.
//
// The input of this process is a pipe whose only other end that process holds, so the kernel tells its end. The program
// leads a group of its own, which is ended as a whole: a build is a tree of processes.
import { spawn } from "node:child_process";

/** How long the program may take to end by itself. */
const GRACE = 5000;

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], detached: true });
let ending = false;

function signalGroup(signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nothing of it is left.
  }
}

function end() {
  if (ending || child.pid === undefined) return;
  ending = true;
  signalGroup("SIGTERM");
  setTimeout(() => signalGroup("SIGKILL"), GRACE).unref();
}

child.once("error", (error) => {
  console.error(`${command}: ${error.message}`);
  process.exit(127);
});
child.once("exit", (code, signal) => {
  // What its leader started is in the group too.
  if (ending) signalGroup("SIGKILL");
  if (signal === null) process.exit(code);
  for (const name of ENDINGS) process.removeAllListeners(name);
  process.kill(process.pid, signal);
});
const ENDINGS = ["SIGHUP", "SIGINT", "SIGTERM"];
for (const name of ENDINGS) process.on(name, end);
process.stdin.once("error", end).once("end", end).resume();
