// Tests `npm start` in a terminal: every way to end it, and a second start.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { until, within } from "../support/wait.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The timeout of a start, in milliseconds. The project is already built, but the machine may be busy. */
const TIMEOUT = 120_000;

const folder = mkdtempSync(join(tmpdir(), "orgo-start-"));
// If the tests run as root, each computer runs as a separate user, which needs access to the folder.
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true, force: true }));

/** Returns the name, state, parent and start time of a process, or `undefined` if there is no such process. */
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return {
      name: text.slice(text.indexOf("(") + 1, text.lastIndexOf(")")),
      state: fields[0],
      parent: Number(fields[1]),
      started: fields[19],
    };
  } catch {
    return undefined;
  }
}

/** Returns a process and all its descendants. */
function tree(pid) {
  const all = new Map(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), stat(name)])
      .filter(([, process]) => process),
  );
  const found = new Map();
  const add = (id) => {
    if (!all.has(id) || found.has(id)) return;
    found.set(id, all.get(id));
    for (const [child, { parent }] of all) if (parent === id) add(child);
  };
  add(pid);
  return found;
}

/** Returns the processes that are still running. Ignores zombies. */
function stillRunning(processes) {
  return [...processes].filter(([pid, { started }]) => {
    const now = stat(pid);
    return now !== undefined && now.started === started && now.state !== "Z";
  });
}

/** The running `npm start` processes of the current test. They are ended after the test, even if the test fails. */
const starts = [];
afterEach(() => {
  for (const start of starts.splice(0)) start.closeTerminal();
});

class Start {
  output = "";
  #terminal;

  /** Runs a command in a new terminal. */
  constructor(command, env = {}) {
    this.#terminal = spawn("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"], {
      cwd: root,
      // These variables prevent the opening of a browser, and make the behavior the same in CI as for a user.
      env: { ...process.env, PORT: "0", BROWSER: "true", DISPLAY: "", TERM: "dumb", ...env },
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    starts.push(this);
    this.#terminal.stdout.setEncoding("utf8").on("data", (text) => (this.output += text));
    this.ended = once(this.#terminal, "close").then(([code, signal]) => signal ?? code);
  }

  /** Waits until the output matches the pattern. Returns the match. */
  async waitForOutput(pattern) {
    let match;
    await within(
      `${pattern} in\n${this.output}`,
      Promise.race([
        until(`${pattern}`, () => (match = pattern.exec(this.output)), TIMEOUT),
        this.ended.then((how) => {
          match = pattern.exec(this.output);
          if (!match) throw new Error(`the command exited with ${how}:\n${this.output}`);
        }),
      ]),
      TIMEOUT,
    );
    return match;
  }

  async dashboard() {
    const [, url] = await this.waitForOutput(/^Dashboard: (http:\/\/\S+)\r?$/m);
    return url;
  }

  /** Waits until processes with these names are running. Returns all processes of the terminal. */
  async processes(...names) {
    let processes;
    await until(
      `${names} to run`,
      () => {
        processes = tree(this.#terminal.pid);
        const running = new Set([...processes.values()].map(({ name }) => name));
        return names.every((name) => running.has(name));
      },
      TIMEOUT,
    );
    return processes;
  }

  /** Types text into the terminal. */
  type(text) {
    this.#terminal.stdin.write(text);
  }

  /** Closes the terminal by killing the process that holds its other end. */
  closeTerminal() {
    this.#terminal.kill("SIGKILL");
  }

  /** Returns the id of the first process for which the predicate is true. */
  find(predicate) {
    const processes = [...tree(this.#terminal.pid)];
    const line = (pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ");
      } catch {
        return ""; // The process has exited.
      }
    };
    const found = processes.find(([pid, { name }]) => predicate(line(pid), name));
    assert.ok(found, `${processes.map(([pid]) => line(pid)).join("\n")}`);
    return found[0];
  }
}

const isScript = (line, name) => line.includes("scripts/start.mjs") && !/^(?:ba|da)?sh$/.test(name);
const isShell = (line, name) => line.includes("scripts/start.mjs") && /^(?:ba|da)?sh$/.test(name);
const isNpm = (line, name) => name.startsWith("npm") || /\bnpm(?:-cli\.js)? (?:run )?start\b/.test(line);

const ENDINGS = {
  "closing the terminal": (start) => start.closeTerminal(),
  "pressing Ctrl-C": (start) => start.type("\x03"),
  "pressing Ctrl-C twice": (start) => start.type("\x03\x03"),
  "SIGTERM for the script": (start) => process.kill(start.find(isScript), "SIGTERM"),
  "SIGHUP for the script": (start) => process.kill(start.find(isScript), "SIGHUP"),
  "SIGKILL for the script": (start) => process.kill(start.find(isScript), "SIGKILL"),
  "SIGTERM for npm": (start) => process.kill(start.find(isNpm), "SIGTERM"),
  "SIGKILL for npm": (start) => process.kill(start.find(isNpm), "SIGKILL"),
  "SIGKILL for the shell of npm": (start) => process.kill(start.find(isShell), "SIGKILL"),
};

const data = join(folder, "data");
const command = (place = data) => `npm start -- --data-dir=${place}`;

for (const [how, end] of Object.entries(ENDINGS)) {
  test(`no process is left after ${how}, and the next start works`, { timeout: 2 * TIMEOUT }, async () => {
    const start = new Start(command());
    await start.dashboard();
    const processes = await start.processes("orgo-desktop", "Xvnc");
    end(start);
    await until("all processes to end", () => stillRunning(processes).length === 0, TIMEOUT).catch((error) => {
      error.message += `\n${stillRunning(processes)
        .map(([pid, { name }]) => `${pid} ${name}`)
        .join("\n")}\n${start.output}`;
      throw error;
    });
    await within("the terminal to close", start.ended, TIMEOUT);
  });
}

/** Creates programs, each from the text of a shell script. Returns a PATH in which they precede those of the machine. */
function withPrograms(scripts) {
  const bin = mkdtempSync(join(folder, "bin-"));
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return { PATH: [bin, process.env.PATH].join(delimiter) };
}

/** The command that runs the real program with the arguments of a script. */
const real = (program) => `PATH='${process.env.PATH}' exec ${program} "$@"`;

/** A `cargo` whose builds never end. */
const slowCargo = () => withPrograms({ cargo: `case "$1" in build) sleep 86400 & wait;; *) ${real("cargo")};; esac` });

for (const how of ["closing the terminal", "pressing Ctrl-C twice", "SIGKILL for the script", "SIGKILL for npm"]) {
  test(`${how} ends a build too`, { timeout: 2 * TIMEOUT }, async () => {
    const start = new Start(command(), slowCargo());
    await start.waitForOutput(/Build: desktop/);
    const processes = await start.processes("cargo", "sleep");
    ENDINGS[how](start);
    await until("all processes to end", () => stillRunning(processes).length === 0, TIMEOUT);
    await within("the terminal to close", start.ended, TIMEOUT);
    assert.ok(!/^Dashboard: /m.test(start.output), start.output);
  });
}

test("a start builds only what the local desktop and its dashboard need", { timeout: 2 * TIMEOUT }, async () => {
  const log = join(folder, "cargo.log");
  const start = new Start(command(), withPrograms({ cargo: `echo "$*" >> '${log}'; ${real("cargo")}` }));
  const url = await start.dashboard();
  const built = readFileSync(log, "utf8").match(/(?<=^build .*--package )\S+/gm);
  const needed = ["orgo-desktop", "orgo-playout-wasm", "orgo-screen-wasm", "orgo-wasm"];
  assert.deepEqual(
    built.filter((name) => !needed.includes(name)),
    [],
  );
  assert.ok(built.includes("orgo-desktop"));

  const login = await fetch(url, { redirect: "manual" });
  const headers = {
    "x-orgo-dashboard": "1",
    cookie: login.headers
      .getSetCookie()
      .map((it) => it.split(";")[0])
      .join("; "),
  };
  const service = await fetch(new URL("/api/service", url), { headers });
  // An addon of an earlier build may be out of date.
  assert.equal((await service.json()).binding, "wasm");
});

test("a start installs the packages of the local desktop, and none of the tests", { timeout: TIMEOUT }, async () => {
  // A machine without packages, on which the installation fails.
  const start = new Start(command(), withPrograms({ "dpkg-query": "", dpkg: "", "apt-get": "exit 1" }));
  assert.notEqual(await within("the start to end", start.ended, TIMEOUT), 0);
  const [, installed] = start.output.match(/(?:Debian packages: installing|--no-install-recommends) (.*?)\r?$/m);
  assert.deepEqual(installed.split(" "), readFileSync(join(root, "desktop/packages.txt"), "utf8").match(/^[a-z][^\s#]*/gm));
});

test("a second start opens the dashboard of the first one, and another data folder has a separate desktop", {
  timeout: 4 * TIMEOUT,
}, async () => {
  const first = new Start(command());
  const url = await first.dashboard();
  const second = new Start(command());
  assert.equal(await second.dashboard(), url);
  assert.equal(await within("the second start to end", second.ended, TIMEOUT), 0);
  assert.match(second.output, /Already running: process \d+ started it in /);
  assert.match(second.output, /--data-dir=DIR/);
  assert.equal((await fetch(url, { redirect: "manual" })).status, 303);

  const other = new Start(command(join(folder, "other")));
  assert.notEqual(await other.dashboard(), url);
  const processes = new Map([...(await first.processes("orgo-desktop")), ...(await other.processes("orgo-desktop"))]);
  first.type("\x03");
  other.type("\x03");
  await until("both starts to end", () => stillRunning(processes).length === 0, TIMEOUT);
  assert.equal(existsSync(join(data, "npm-start.json")), false);
});

test("a manually started desktop gets a dashboard and outlives it", { timeout: 4 * TIMEOUT }, async () => {
  const place = join(folder, "by-hand");
  const program = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "release/orgo-desktop");
  const serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", place];
  const desktop = spawn("setpriv", ["--pdeathsig", "TERM", program, ...serve], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await within("the desktop to be ready", once(desktop.stdout, "data"), TIMEOUT);
    // A stale record of an `npm start` that was killed together with its desktop.
    const stale = { url: "http://127.0.0.1:9/?key=x", pid: 2 ** 22 + 1, folder: "/nowhere" };
    writeFileSync(join(place, "npm-start.json"), JSON.stringify(stale));
    const start = new Start(command(place));
    const url = await start.dashboard();
    assert.match(start.output, /starting the dashboard for it/);
    assert.equal((await fetch(url, { redirect: "manual" })).status, 303);
    start.type("\x03");
    await within("the start to end", start.ended, TIMEOUT);
    assert.equal(desktop.exitCode, null);

    const second = spawn(program, serve, { stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    second.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
    const [code] = await within("the second server to end", once(second, "close"), TIMEOUT);
    assert.equal(code, 75);
    assert.match(errors, new RegExp(`process ${desktop.pid}, at http://127.0.0.1:\\d+/api`));
    assert.match(errors, /--data-dir=/);
  } finally {
    desktop.kill("SIGTERM");
    await within("the desktop to end", once(desktop, "close"), TIMEOUT);
  }
});

test("options are passed to the desktop, and an unknown option prints the list of options", {
  timeout: 2 * TIMEOUT,
}, async () => {
  const rejected = new Start("npm start -- --no-such-option");
  assert.notEqual(await within("the start to end", rejected.ended, TIMEOUT), 0);
  assert.match(rejected.output, /--isolation=auto\|box\|none/);
  const start = new Start(`npm start -- --isolation=none --data-dir=${join(folder, "none")}`);
  await start.dashboard();
  const processes = await start.processes("orgo-desktop", "Xvnc");
  assert.ok(![...processes.values()].some(({ name }) => name === "bwrap"), "there must be no sandbox");
  assert.match(start.output, /not isolated/);
  start.type("\x03");
  await until("all processes to end", () => stillRunning(processes).length === 0, TIMEOUT);
});
