// Starts an X server without a screen of this machine, for programs that need one.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/**
 * @param {string} [size] the size of the screen
 * @returns {Promise<{ name: string, stop(): Promise<void> }>} `name` is the value of `DISPLAY`
 */
export async function startDisplay(size = "1600x1000") {
  const args = [
    "-displayfd",
    "1",
    "-depth",
    "24",
    "-geometry",
    size,
    "-SecurityTypes",
    "None",
    "-rfbport",
    "-1",
    "-nolisten",
    "tcp",
  ];
  // The kernel ends the server when the test process ends.
  const child = spawn("setpriv", ["--pdeathsig", "TERM", "Xvnc", ...args], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "exit");
  const failed = ended.then(([code]) => {
    throw new Error(`Xvnc ended with ${code}`);
  });
  failed.catch(() => {});
  const [number] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), failed]);
  return {
    name: `:${number}`,
    async stop() {
      child.kill();
      await ended;
    },
  };
}
