// The main job: `npm start`. A local desktop and the dashboard on it; with ORGO_API_KEY set, the dashboard on the real service.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { build } from "./build.mjs";
import { openBrowser } from "./lib/browser.mjs";
import { Failure, main, root, step } from "./lib/step.mjs";
import { setup } from "./setup.mjs";

/** How long what was started may take to end by itself. */
const GRACE = 10_000;

const children = [];
let ending = false;
/** Removes what `openBrowser` left. */
let cleanUp;

function start(name, command, args, { env = {}, onLine }) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
    // A group of its own: Ctrl-C reaches this process first, which then ends the others in order.
    detached: true,
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  children.push({ child, ended });
  child.once("error", (error) => end(1, `${name}: ${error.message}`));
  ended.then((code) => end(1, `${name} ended with ${child.signalCode ?? code}`));
  createInterface({ input: child.stdout }).on("line", onLine);
}

async function end(code, reason) {
  if (ending) return;
  ending = true;
  cleanUp?.();
  if (reason) console.error(`\n✗ ${reason}`);
  // The dashboard first, so that it does not report a desktop that goes away.
  for (const { child, ended } of children.reverse()) {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), GRACE);
    await ended;
    clearTimeout(timer);
  }
  process.exit(code);
}

/** Starts the local desktop; resolves with where it is. */
function startDesktop() {
  return new Promise((resolve, reject) => {
    const args = ["serve", "--listen", "127.0.0.1:0", "--json"];
    let first = true;
    start("The local desktop", join(root, "target/release/orgo-desktop"), args, {
      onLine: (line) => {
        if (!first) return;
        first = false;
        try {
          resolve(JSON.parse(line));
        } catch {
          reject(new Failure(`The local desktop began with ${line}`));
        }
      },
    });
  });
}

/** Starts the dashboard; resolves with its URL once the page works. */
function startDashboard(env) {
  return new Promise((resolve) => {
    start("The dashboard", process.execPath, [join(root, "examples/dashboard/server.mjs")], {
      env,
      onLine: (line) => {
        console.log(line);
        const url = /^Dashboard: (http:\/\/\S+)$/.exec(line)?.[1];
        if (url) resolve(url);
      },
    });
  });
}

await main(async () => {
  process.once("SIGINT", () => end(130));
  process.once("SIGTERM", () => end(143));
  const remote = Boolean(process.env.ORGO_API_KEY);
  await setup({ desktop: !remote });
  await build(remote ? ["wasm", "addon", "npm"] : undefined);
  await step("Build: dashboard", async () => {
    const { buildDashboard } = await import("../examples/dashboard/build.mjs");
    await buildDashboard();
  });
  const env = {};
  if (!remote) {
    const desktop = await step("Local desktop", startDesktop);
    env.ORGO_API_KEY = desktop.api_key;
    env.ORGO_BASE_URL = desktop.base_url;
    env.ORGO_REALTIME_URL = desktop.realtime_url;
    // On one's own machine a computer costs nothing: the dashboard makes the first one by itself.
    env.ORGO_DASHBOARD_FIRST_COMPUTER = "1";
  }
  console.log();
  const url = await startDashboard(env);
  if (process.stdout.isTTY) cleanUp = openBrowser(url);
});
