// The main job: `npm start`. A local desktop and the dashboard on it; with ORGO_API_KEY set, the dashboard on the real service.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { openBrowser } from "./lib/browser.mjs";
import { endChildren, killChildren, startChild } from "./lib/children.mjs";
import { onOrphaned } from "./lib/parents.mjs";
import { findRunning, keptKey, leaveWord } from "./lib/running.mjs";
import { Failure, main, root, step } from "./lib/step.mjs";
import { setup } from "./setup.mjs";

const USAGE = `npm start [-- OPTIONS]

  --isolation=auto|box|none   how computers are kept apart; default auto (desktop/README.md)
  --data-dir=DIR              where computers and files are kept; with another folder a second desktop runs beside the first
  --help`;

const DESKTOP = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "release/orgo-desktop");
/** The exit code of a desktop whose data folder is in use. */
const BUSY = 75;
/** How long a browser may take to read the file that leads it to the address. */
const BROWSER_START = 5000;
/** How soon a signal that comes again is another one: Ctrl-C arrives from the terminal and from npm. */
const SAME_SIGNAL = 1000;

let ending;
/** What is undone at the end. */
const undo = [];

/** Ends everything that was started, then this process. Whoever insists does not wait for what takes its time. */
function end(code, reason) {
  if (ending) {
    if (Date.now() - ending > SAME_SIGNAL) killChildren();
    return;
  }
  ending = Date.now();
  for (const step of undo) step();
  if (reason) console.error(`\n✗ ${reason}`);
  // The dashboard first, so that it does not report a desktop that goes away.
  endChildren().then(() => process.exit(code));
}

/** Starts a part that is to run until the end, and reads what it prints. */
function start(name, command, args, { env, onLine, onEnd = (how) => end(1, `${name} ended with ${how}`) }) {
  const { process: child, ended } = startChild(command, args, { cwd: root, env, readsOutput: true, endsWithInput: true });
  ended.then(onEnd);
  createInterface({ input: child.stdout }).on("line", onLine);
}

/** Starts the local desktop; resolves with where it is, or with nothing if another one uses its data folder. */
function startDesktop(options) {
  return new Promise((resolve, reject) => {
    const args = ["serve", "--listen", "127.0.0.1:0", "--json", "--end-with-stdin", ...options];
    let ready = false;
    start("The local desktop", DESKTOP, args, {
      onLine: (line) => {
        if (ready) return;
        ready = true;
        try {
          resolve(JSON.parse(line));
        } catch {
          reject(new Failure(`The local desktop began with ${line}`));
        }
      },
      onEnd: (how) => {
        if (how === BUSY && !ready) resolve(undefined);
        else end(1, `The local desktop ended with ${how}`);
      },
    });
  });
}

/** Starts the dashboard; resolves with its URL once the page works. */
function startDashboard(desktop) {
  const env = { ORGO_DASHBOARD_END_WITH_STDIN: "1" };
  if (desktop) {
    env.ORGO_API_KEY = desktop.api_key;
    env.ORGO_BASE_URL = desktop.base_url;
    env.ORGO_REALTIME_URL = desktop.realtime_url;
    // On one's own machine a computer costs nothing: the dashboard makes the first one by itself.
    env.ORGO_DASHBOARD_FIRST_COMPUTER = "1";
  }
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

/** Opens the dashboard of an `npm start` that runs already; whether there is one. Finds a desktop without a dashboard too. */
async function findFirst(place) {
  const running = existsSync(DESKTOP) ? await findRunning(DESKTOP, place) : undefined;
  if (!running?.dashboard) return { desktop: running };
  const { url, folder, pid } = running.dashboard;
  console.log(`Already running: process ${pid} started it in ${folder}. This is its dashboard; Ctrl-C there ends both.`);
  console.log(`For a second desktop beside it: npm start -- --data-dir=DIR\n\nDashboard: ${url}`);
  return { url };
}

/** The desktop to show: a new one, or one that was started by hand. */
async function provideDesktop(place, options) {
  for (;;) {
    const own = await step("Local desktop", () => startDesktop([...place, ...options]));
    if (own) return own;
    const { url, desktop } = await findFirst(place);
    if (url) return { url };
    if (desktop) return adopt(desktop);
  }
}

function adopt(desktop) {
  const key = process.env.ORGO_DESKTOP_API_KEY ?? keptKey(desktop.data_dir);
  if (!key) {
    throw new Failure(
      `${desktop.data_dir} is used by the desktop at ${desktop.base_url}, whose key is not known. Name it with ORGO_DESKTOP_API_KEY, or use --data-dir.`,
    );
  }
  console.log(`  the desktop at ${desktop.base_url} (process ${desktop.pid}) runs already: the dashboard is started on it`);
  return { ...desktop, api_key: key };
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: { isolation: { type: "string" }, "data-dir": { type: "string" }, help: { type: "boolean" } },
    });
    return values;
  } catch (error) {
    throw new Failure(`${error.message}\n\n${USAGE}`);
  }
}

/** Opens the address in a browser if somebody watches; returns what cleans up after it. */
function show(url) {
  return process.stdout.isTTY ? openBrowser(url) : undefined;
}

/** The same for the dashboard of another `npm start`. */
async function showFirst(url) {
  const close = show(url);
  if (!close) return;
  await sleep(BROWSER_START);
  close();
}

async function run() {
  const values = readArguments();
  if (values.help) return console.log(USAGE);
  for (const [signal, code] of Object.entries({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 })) process.on(signal, () => end(code));
  onOrphaned(() => end(143, "npm has ended"));
  // The terminal may be gone before this process is.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

  const remote = Boolean(process.env.ORGO_API_KEY);
  const place = values["data-dir"] === undefined ? [] : ["--data-dir", values["data-dir"]];
  const options = values.isolation === undefined ? [] : ["--isolation", values.isolation];
  if (!remote) {
    const { url } = await findFirst(place);
    if (url) return showFirst(url);
  }
  await setup({ desktop: !remote });
  await build(remote ? ["wasm", "addon", "npm"] : undefined);
  await step("Build: dashboard", async () => {
    const { buildDashboard } = await import("../examples/dashboard/build.mjs");
    await buildDashboard();
  });
  const desktop = remote ? undefined : await provideDesktop(place, options);
  if (desktop?.url) return showFirst(desktop.url);
  if (desktop) undo.push(leaveWord(desktop.data_dir));
  console.log();
  const url = await startDashboard(desktop);
  if (desktop) leaveWord(desktop.data_dir, url);
  const close = show(url);
  if (close) undo.push(close);
}

await main(async () => {
  try {
    await run();
  } catch (error) {
    // What was started meanwhile may have failed for the end alone.
    if (ending) return;
    ending = Date.now();
    await endChildren();
    throw error;
  }
});
