// `npm start`: starts a local desktop and the dashboard for it. With ORGO_API_KEY set, starts the dashboard for the
// hosted service instead.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { openBrowser } from "./lib/browser.mjs";
import { endChildren, killChildren, startChild } from "./lib/children.mjs";
import { onOrphaned } from "./lib/parents.mjs";
import { findRunning, storedApiKey, writeRecord } from "./lib/running.mjs";
import { Failure, main, root, step } from "./lib/step.mjs";

const USAGE = `npm start [-- OPTIONS]

  --isolation=auto|box|none   how computers are isolated; default auto (see desktop/README.md)
  --data-dir=DIR              the folder for computers and files; use another folder to run a second desktop
  --help                      show this text`;

const DESKTOP = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "release/orgo-desktop");
/** The exit code of `orgo-desktop` if another desktop uses the data folder. */
const BUSY = 75;
/** The time limit for a browser to read the file that redirects it to the dashboard, in ms. */
const BROWSER_START_MS = 5000;
/** The time in which a second signal is ignored, in ms. One Ctrl-C arrives twice: from the terminal and from npm. */
const SIGNAL_DEBOUNCE_MS = 1000;

/** The time at which the shutdown began, in ms since 1970. */
let ending;
/** Functions that clean up at shutdown. */
const cleanups = [];

/** Ends all child processes, then this process. A second signal kills the children that are still running. */
function end(code, reason) {
  if (ending) {
    if (Date.now() - ending > SIGNAL_DEBOUNCE_MS) killChildren();
    return;
  }
  ending = Date.now();
  for (const cleanUp of cleanups) cleanUp();
  if (reason) console.error(`\n✗ ${reason}`);
  // The dashboard ends before the desktop, so the dashboard does not report that the desktop is unreachable.
  endChildren().then(() => process.exit(code));
}

/** Starts a program that runs until shutdown, and reads its output. */
function start(name, command, args, { env, onLine, onEnd = (how) => end(1, `${name} ended with ${how}`) }) {
  const { process: child, ended } = startChild(command, args, { cwd: root, env, reads: "stdout", endsWithInput: true });
  ended.then(onEnd);
  createInterface({ input: child.stdout }).on("line", onLine);
}

/** Starts the local desktop. Resolves with its URLs, or `undefined` if another desktop uses the data folder. */
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
          reject(new Failure(`The local desktop printed ${line}, not its addresses as JSON`));
        }
      },
      onEnd: (how) => {
        if (how === BUSY && !ready) resolve(undefined);
        else end(1, `The local desktop ended with ${how}`);
      },
    });
  });
}

/** Starts the dashboard. Resolves with its URL when it accepts connections. */
function startDashboard(desktop) {
  const env = { ORGO_DASHBOARD_END_WITH_STDIN: "1" };
  if (desktop) {
    env.ORGO_API_KEY = desktop.api_key;
    env.ORGO_BASE_URL = desktop.base_url;
    env.ORGO_REALTIME_URL = desktop.realtime_url;
    // The addon compiles for minutes. It has no advantage for a server on the same machine, which needs no proxy.
    env.ORGO_BINDING = "wasm";
    // A local computer is free of charge, so the dashboard creates the first one itself.
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

/**
 * Looks for a desktop that already uses the data folder. Returns the `url` of its dashboard, or the `desktop` itself if
 * the desktop has no dashboard.
 */
async function findExisting(place) {
  const running = existsSync(DESKTOP) ? await findRunning(DESKTOP, place) : undefined;
  if (!running?.dashboard) return { desktop: running };
  const { url, folder, pid } = running.dashboard;
  console.log(`Already running: process ${pid} started it in ${folder}. Press Ctrl-C there to stop it.`);
  console.log(`To run a second desktop: npm start -- --data-dir=DIR\n\nDashboard: ${url}`);
  return { url };
}

/** Returns the desktop for the dashboard: a new or a manually started desktop. Returns the `url` of an existing dashboard. */
async function provideDesktop(place, options) {
  for (;;) {
    const own = await step("Local desktop", () => startDesktop([...place, ...options]));
    if (own) return own;
    const { url, desktop } = await findExisting(place);
    if (url) return { url };
    if (desktop) return adopt(desktop);
  }
}

function adopt(desktop) {
  const key = process.env.ORGO_DESKTOP_API_KEY ?? storedApiKey(desktop.data_dir);
  if (!key) {
    throw new Failure(
      `The desktop at ${desktop.base_url} uses ${desktop.data_dir}, and its API key is not known. Set ORGO_DESKTOP_API_KEY to its key, or use another --data-dir.`,
    );
  }
  console.log(`  the desktop at ${desktop.base_url} (process ${desktop.pid}) is already running: starting the dashboard for it`);
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

/** Opens a URL in a browser if the output is a terminal. Returns a function that cleans up, if a browser was started. */
function show(url) {
  return process.stdout.isTTY ? openBrowser(url) : undefined;
}

/** Opens the dashboard of another `npm start`. */
async function showExisting(url) {
  const close = show(url);
  if (!close) return;
  await sleep(BROWSER_START_MS);
  close();
}

async function run() {
  const values = readArguments();
  if (values.help) return console.log(USAGE);
  for (const [signal, code] of Object.entries({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 })) process.on(signal, () => end(code));
  onOrphaned(() => end(143, "npm has ended"));
  // The terminal may close before this process ends.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

  const remote = Boolean(process.env.ORGO_API_KEY);
  const place = values["data-dir"] === undefined ? [] : ["--data-dir", values["data-dir"]];
  const options = values.isolation === undefined ? [] : ["--isolation", values.isolation];
  if (!remote) {
    const { url } = await findExisting(place);
    if (url) return showExisting(url);
  }
  await build({ desktop: !remote, only: ["wasm", "npm", "dashboard", remote ? "addon" : "desktop"] });
  const desktop = remote ? undefined : await provideDesktop(place, options);
  if (desktop?.url) return showExisting(desktop.url);
  if (desktop) cleanups.push(writeRecord(desktop.data_dir));
  console.log();
  const url = await startDashboard(desktop);
  if (desktop) writeRecord(desktop.data_dir, url);
  const close = show(url);
  if (close) cleanups.push(close);
}

await main(async () => {
  try {
    await run();
  } catch (error) {
    // During shutdown, the current step fails because its program was ended.
    if (ending) return;
    ending = Date.now();
    await endChildren();
    throw error;
  }
});
