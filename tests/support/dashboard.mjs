// Starts the example dashboard in the same way as `npm start`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildDashboard } from "../../examples/dashboard/build.mjs";
import { within } from "./wait.mjs";

const SERVER = fileURLToPath(new URL("../../examples/dashboard/server.mjs", import.meta.url));

/**
 * Builds the dashboard and starts its server.
 *
 * @param {import("orgo-sdk").OrgoOptions} options the desktop that the dashboard shows
 * @param {{ port?: number }} [address] the port; default: a free one
 * @returns {Promise<{ url: string, origin: string, key: string, close(): Promise<void> }>} `url` is the printed address
 */
export async function startDashboard({ apiKey, baseUrl, realtimeUrl }, { port = 0 } = {}) {
  await buildDashboard();
  const child = spawn("setpriv", ["--pdeathsig", "TERM", process.execPath, SERVER], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      PORT: String(port),
      ORGO_API_KEY: apiKey,
      ORGO_BASE_URL: baseUrl,
      ORGO_REALTIME_URL: realtimeUrl,
      ORGO_BINDING: "wasm",
      ORGO_DASHBOARD_FIRST_COMPUTER: "1",
    },
  });
  const closed = once(child, "close");
  const printed = new Promise((resolve, reject) => {
    closed.then(([code]) => reject(new Error(`the dashboard ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, found] = /^Dashboard: (http:\/\/127\.0\.0\.1:\d+\/\?key=\S+)$/.exec(line) ?? [];
      if (found) resolve(found);
    });
  });
  const url = await within("the dashboard to be ready", printed, 30_000);
  const { origin, searchParams } = new URL(url);
  return {
    url,
    origin,
    key: searchParams.get("key"),
    async close() {
      child.kill("SIGTERM");
      await within("the dashboard to end", closed);
    },
  };
}
