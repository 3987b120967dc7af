// The example dashboard, as `npm start` runs it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildDashboard } from "../../examples/dashboard/build.mjs";
import { within } from "./wait.mjs";

const SERVER = fileURLToPath(new URL("../../examples/dashboard/server.mjs", import.meta.url));

/**
 * Builds the dashboard and starts its server on a free port.
 *
 * @param {import("orgo-sdk").OrgoOptions} options the desktop that it shows
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function startDashboard({ apiKey, baseUrl, realtimeUrl }) {
  await buildDashboard();
  const child = spawn("setpriv", ["--pdeathsig", "TERM", process.execPath, SERVER], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      PORT: "0",
      ORGO_API_KEY: apiKey,
      ORGO_BASE_URL: baseUrl,
      ORGO_REALTIME_URL: realtimeUrl,
      ORGO_DASHBOARD_FIRST_COMPUTER: "1",
    },
  });
  const closed = once(child, "close");
  const url = new Promise((resolve, reject) => {
    closed.then(([code]) => reject(new Error(`the dashboard ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, found] = /^Dashboard: (http:\/\/127\.0\.0\.1:\d+)$/.exec(line) ?? [];
      if (found) resolve(found);
    });
  });
  return {
    url: await within("the dashboard to be ready", url, 30_000),
    async close() {
      child.kill("SIGTERM");
      await within("the dashboard to end", closed);
    },
  };
}
