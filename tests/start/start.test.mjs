// `npm start` as people use it: in a terminal, ended in every way, begun twice.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { until, within } from "../support/wait.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** How long a start may take: what it needs was built before, but the machine may have much else to do. */
const PATIENCE = 120_000;

const folder = mkdtempSync(join(tmpdir(), "orgo-start-"));
// Each computer is another user, if the tests are root's.
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true, force: true }));

/** The state, the parent and the start of a process; `undefined` if there is none. */
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

/** A process and all that it or one of its descendants has started. */
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

/** Those of the processes that still run. A dead one that nobody has waited for does not. */
function left(processes) {
  return [...processes].filter(([pid, { started }]) => {
    const now = stat(pid);
    return now !== undefined && now.started === started && now.state !== "Z";
  });
}

/** Those of a test, which ends them if it fails. */
const starts = [];
afterEach(() => {
  for (const start of starts.splice(0)) start.closeTerminal();
});

class Start {
  output = "";
  #terminal;

  /** Runs a command in a terminal of its own. */
  constructor(command, env = {}) {
    this.#terminal = spawn("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"], {
      cwd: root,
      // No browser is opened, and no run of a CI system takes another path than a user's.
      env: { ...process.env, PORT: "0", BROWSER: "true", DISPLAY: "", TERM: "dumb", ...env },
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    starts.push(this);
    this.#terminal.stdout.setEncoding("utf8").on("data", (text) => (this.output += text));
    this.ended = once(this.#terminal, "close").then(([code, signal]) => signal ?? code);
  }

  /** Waits until it has printed something, and returns the match. */
  async says(pattern) {
    let match;
    await within(
      `${pattern} in\n${this.output}`,
      Promise.race([
        until(`${pattern}`, () => (match = pattern.exec(this.output)), PATIENCE),
        this.ended.then((how) => {
          match = pattern.exec(this.output);
          if (!match) throw new Error(`it ended with ${how}:\n${this.output}`);
        }),
      ]),
      PATIENCE,
    );
    return match;
  }

  async dashboard() {
    const [, url] = await this.says(/^Dashboard: (http:\/\/\S+)\r?$/m);
    return url;
  }

  /** All of its processes, once the first computer has its display. */
  async processes(...names) {
    let processes;
    await until(
      `${names} to run`,
      () => {
        processes = tree(this.#terminal.pid);
        const running = new Set([...processes.values()].map(({ name }) => name));
        return names.every((name) => running.has(name));
      },
      PATIENCE,
    );
    return processes;
  }

  /** What a user types. */
  type(text) {
    this.#terminal.stdin.write(text);
  }

  /** The window is closed: whoever holds the other end of the terminal goes away. */
  closeTerminal() {
    this.#terminal.kill("SIGKILL");
  }

  /** One of the processes between the terminal and the parts. */
  find(what) {
    const processes = [...tree(this.#terminal.pid)];
    const line = (pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ");
      } catch {
        return ""; // It has ended meanwhile.
      }
    };
    const found = processes.find(([pid, { name }]) => what(line(pid), name));
    assert.ok(found, `${processes.map(([pid]) => line(pid)).join("\n")}`);
    return found[0];
  }
}

const isScript = (line, name) => line.includes("scripts/start.mjs") && !/^(?:ba|da)?sh$/.test(name);
const isShell = (line, name) => line.includes("scripts/start.mjs") && /^(?:ba|da)?sh$/.test(name);
const isNpm = (line, name) => name.startsWith("npm") || /\bnpm(?:-cli\.js)? (?:run )?start\b/.test(line);

const ENDINGS = {
  "the terminal is closed": (start) => start.closeTerminal(),
  "Ctrl-C": (start) => start.type("\x03"),
  "Ctrl-C twice at once": (start) => start.type("\x03\x03"),
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
  test(`nothing is left after ${how}, and the next start works`, { timeout: 2 * PATIENCE }, async () => {
    const start = new Start(command());
    await start.dashboard();
    const processes = await start.processes("orgo-desktop", "Xvnc");
    end(start);
    await until("everything to end", () => left(processes).length === 0, PATIENCE).catch((error) => {
      error.message += `\n${left(processes)
        .map(([pid, { name }]) => `${pid} ${name}`)
        .join("\n")}\n${start.output}`;
      throw error;
    });
    await within("the terminal to close", start.ended, PATIENCE);
  });
}

/** A folder of programs that come before the real ones: a cargo whose builds never end. */
function slowCargo() {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const real = process.env.PATH;
  const text = `#!/bin/sh\ncase "$1" in build) echo building; sleep 86400 & wait;; *) PATH='${real}' exec cargo "$@";; esac\n`;
  writeFileSync(join(bin, "cargo"), text, { mode: 0o755 });
  return { PATH: [bin, real].join(delimiter) };
}

for (const how of ["the terminal is closed", "Ctrl-C twice at once", "SIGKILL for the script", "SIGKILL for npm"]) {
  test(`a build ends too after ${how}`, { timeout: 2 * PATIENCE }, async () => {
    const start = new Start(command(), slowCargo());
    await start.says(/^building/m);
    const processes = await start.processes("cargo", "sleep");
    ENDINGS[how](start);
    await until("everything to end", () => left(processes).length === 0, PATIENCE);
    await within("the terminal to close", start.ended, PATIENCE);
    assert.ok(!/^Dashboard: /m.test(start.output), start.output);
  });
}

test("a second start shows the first one's dashboard, and another folder has a desktop of its own", {
  timeout: 4 * PATIENCE,
}, async () => {
  const first = new Start(command());
  const url = await first.dashboard();
  const second = new Start(command());
  assert.equal(await second.dashboard(), url);
  assert.equal(await within("the second to end", second.ended, PATIENCE), 0);
  assert.match(second.output, /Already running: process \d+ started it in /);
  assert.match(second.output, /--data-dir=DIR/);
  assert.equal((await fetch(url, { redirect: "manual" })).status, 303);

  const beside = new Start(command(join(folder, "other")));
  assert.notEqual(await beside.dashboard(), url);
  const processes = new Map([...(await first.processes("orgo-desktop")), ...(await beside.processes("orgo-desktop"))]);
  first.type("\x03");
  beside.type("\x03");
  await until("both to end", () => left(processes).length === 0, PATIENCE);
  assert.equal(existsSync(join(data, "npm-start.json")), false);
});

test("a desktop that was started by hand gets a dashboard, and outlives it", { timeout: 4 * PATIENCE }, async () => {
  const place = join(folder, "by-hand");
  const program = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "release/orgo-desktop");
  const serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", place];
  const desktop = spawn("setpriv", ["--pdeathsig", "TERM", program, ...serve], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await within("the desktop to be ready", once(desktop.stdout, "data"), PATIENCE);
    // What an `npm start` left that was killed together with its desktop.
    const stale = { url: "http://127.0.0.1:9/?key=x", pid: 2 ** 22 + 1, folder: "/nowhere" };
    writeFileSync(join(place, "npm-start.json"), JSON.stringify(stale));
    const start = new Start(command(place));
    const url = await start.dashboard();
    assert.match(start.output, /starting the dashboard for it/);
    assert.equal((await fetch(url, { redirect: "manual" })).status, 303);
    start.type("\x03");
    await within("it to end", start.ended, PATIENCE);
    assert.equal(desktop.exitCode, null);

    const refused = spawn(program, serve, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    refused.stderr.setEncoding("utf8").on("data", (text) => (said += text));
    const [code] = await within("the second server to end", once(refused, "close"), PATIENCE);
    assert.equal(code, 75);
    assert.match(said, new RegExp(`process ${desktop.pid}, at http://127.0.0.1:\\d+/api`));
    assert.match(said, /--data-dir=/);
  } finally {
    desktop.kill("SIGTERM");
    await within("the desktop to end", once(desktop, "close"), PATIENCE);
  }
});

test("options are passed on, and unknown ones refused with the list", { timeout: 2 * PATIENCE }, async () => {
  const refused = new Start("npm start -- --no-such-option");
  assert.notEqual(await within("it to end", refused.ended, PATIENCE), 0);
  assert.match(refused.output, /--isolation=auto\|box\|none/);
  const start = new Start(`npm start -- --isolation=none --data-dir=${join(folder, "none")}`);
  await start.dashboard();
  const processes = await start.processes("orgo-desktop", "Xvnc");
  assert.ok(![...processes.values()].some(({ name }) => name === "bwrap"), "there is a box");
  assert.match(start.output, /not walled off/);
  start.type("\x03");
  await until("everything to end", () => left(processes).length === 0, PATIENCE);
});
