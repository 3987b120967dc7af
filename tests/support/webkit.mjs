// Starts the installed WebKit, the engine of Safari, and controls it by WebDriver. The input comes from the X server, because the
// events of the driver are not those of a user: a released right button is reported as held, and a capital letter has no Shift.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startDisplay } from "./display.mjs";
import { freePort } from "./receiver.mjs";
import { until } from "./wait.mjs";

const LIBRARIES = "/usr/lib/x86_64-linux-gnu";

/** Returns the path of the browser in Debian's package of the driver, or `undefined` if it is not installed. */
export function findWebKit() {
  if (!existsSync("/usr/bin/WebKitWebDriver") || !existsSync(LIBRARIES)) return undefined;
  const folder = readdirSync(LIBRARIES).find((name) => name.startsWith("webkit2gtk-4."));
  return folder && join(LIBRARIES, folder, "MiniBrowser");
}

/** Starts a browser with additional environment variables. */
export async function startWebKit(environment = {}) {
  const binary = findWebKit();
  if (binary === undefined) throw new Error("WebKit is not installed: apt-get install webkit2gtk-driver");
  const folder = mkdtempSync(join(tmpdir(), "orgo-webkit-"));
  const display = await startDisplay();
  const port = await freePort();
  const child = spawn("setpriv", ["--pdeathsig", "TERM", "WebKitWebDriver", `--port=${port}`], {
    env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder, DISPLAY: display.name, ...environment },
    stdio: "ignore",
  });
  const ended = once(child, "exit");
  const send = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };
  await until("the driver", () => send("GET", "/status").catch(() => undefined));
  // With this option, pages may play audio without a click.
  const options = { binary, args: ["--automation", "--autoplay-policy=allow"] };
  const { sessionId } = await send("POST", "/session", {
    capabilities: { alwaysMatch: { "webkitgtk:browserOptions": options } },
  });
  const session = `/session/${sessionId}`;
  await send("POST", `${session}/timeouts`, { script: 120_000 });
  return {
    /** Returns the only page. */
    newPage: async () => pageOf((method, path, body) => send(method, `${session}${path}`, body), display.name),
    async close() {
      await send("DELETE", session);
      child.kill();
      await ended;
      await display.stop();
      rmSync(folder, { recursive: true, maxRetries: 10 });
    },
  };
}

/** The names of the keys of WebDriver. */
const KEYS = { "\uE008": "Shift_L", "\uE007": "Return" };
/** The buttons of X11 for those of the DOM. */
const BUTTONS = ["1", "2", "3"];

function pageOf(send, display) {
  const execute = (script) => send("POST", "/execute/async", { script, args: [] });
  const input = (...args) =>
    promisify(execFile)("xdotool", args.map(String), { env: { PATH: process.env.PATH, DISPLAY: display, LC_ALL: "C.UTF-8" } });
  /** The position of the page in the window. */
  let origin;
  const page = {
    async goto(url) {
      await send("POST", "/url", { url });
      await execute(`
        globalThis.uncaught = [];
        addEventListener("error", ({ message }) => uncaught.push(message));
        addEventListener("unhandledrejection", ({ reason }) => uncaught.push(String(reason)));
        addEventListener("pointermove", ({ clientX, clientY }) => (globalThis.pointer = [clientX, clientY]), true);
        arguments[0]();
      `);
      const found = await until("the position of the page", async () => {
        await input("mousemove", 401, 400, "mousemove", 400, 400);
        return page.evaluate("globalThis.pointer");
      });
      origin = found.map((value) => 400 - value);
    },
    /** Evaluates an expression, and awaits the result, which must be representable as JSON. */
    async evaluate(expression) {
      const [value, error] = await execute(`
        const done = arguments[0];
        (async () => JSON.stringify((await (${expression})) ?? null))().then(
          (value) => done([value]),
          (error) => done([null, error.name + ": " + error.message]),
        );
      `);
      if (error !== undefined) throw new Error(error);
      return JSON.parse(value);
    },
    /** Returns the uncaught errors of the page. */
    uncaught: () => page.evaluate("globalThis.uncaught"),
    mouse: {
      move: (x, y) => input("mousemove", x + origin[0], y + origin[1]),
      down: (button = 0) => input("mousedown", BUTTONS[button]),
      up: (button = 0) => input("mouseup", BUTTONS[button]),
      async click(x, y, button = 0) {
        await input("mousemove", x + origin[0], y + origin[1], "click", BUTTONS[button]);
      },
      /** Turns the wheel down by one step. */
      wheel: (x, y) => input("mousemove", x + origin[0], y + origin[1], "click", 5),
    },
    keyboard: {
      down: (key) => input("keydown", KEYS[key] ?? key),
      up: (key) => input("keyup", KEYS[key] ?? key),
      async type(text) {
        for (const part of text.split(/(\uE007)/)) {
          if (KEYS[part]) await input("key", KEYS[part]);
          else if (part !== "") await input("type", part);
        }
      },
    },
    close: async () => {},
  };
  return page;
}
