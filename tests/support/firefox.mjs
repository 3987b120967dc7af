// Starts the installed Firefox in headless mode, and controls it by WebDriver BiDi.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "undici";

const NAMES = ["firefox-esr", "firefox"];

/** Preferences for tests. With them, pages may play audio without a click, and the browser sends no background requests. */
const PREFERENCES = {
  "media.autoplay.default": 0,
  "media.autoplay.blocking_policy": 0,
  "datareporting.policy.dataSubmissionEnabled": false,
  "app.update.disabledForTesting": true,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
};

/** Returns the path of the browser's program, or `undefined` if it is not installed. */
export function findFirefox() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return process.env.ORGO_FIREFOX ?? places.find(existsSync);
}

function executable() {
  const found = findFirefox();
  if (found === undefined) throw new Error(`none of ${NAMES.join(", ")} is in PATH; set ORGO_FIREFOX to the path of Firefox`);
  return found;
}

/** Starts a browser with a new profile and additional environment variables. */
export async function startFirefox(environment = {}) {
  const profile = mkdtempSync(join(tmpdir(), "orgo-firefox-"));
  const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
  writeFileSync(join(profile, "user.js"), lines.join("\n"));
  const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0", "about:blank"];
  const child = spawn(executable(), args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const address = await new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`Firefox ended with ${code}`)));
    createInterface({ input: child.stderr }).on("line", (line) => {
      const found = /WebDriver BiDi listening on (ws:\S+)/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  const { send, on, close } = await connect(`${address}/session`);
  await send("session.new", { capabilities: {} });
  await send("session.subscribe", { events: ["log.entryAdded"] });
  return {
    async newPage() {
      const { context } = await send("browsingContext.create", { type: "tab" });
      return pageOf(send, on, context);
    },
    async close() {
      await send("browser.close");
      await ended;
      close();
      rmSync(profile, { recursive: true, maxRetries: 10 });
    },
  };
}

async function connect(url) {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("cannot connect to Firefox"));
  });
  const pending = new Map();
  const listeners = [];
  socket.onmessage = ({ data }) => {
    const { type, id, result, message, method, params } = JSON.parse(data);
    if (type === "event") {
      for (const listener of listeners) listener(method, params);
      return;
    }
    const { resolve, reject } = pending.get(id);
    pending.delete(id);
    if (type === "error") reject(new Error(message));
    else resolve(result);
  };
  let last = 0;
  const send = (method, params = {}) =>
    new Promise((resolve, reject) => {
      last += 1;
      pending.set(last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  return { send, on: (listener) => listeners.push(listener), close: () => socket.close() };
}

/** The input sources of WebDriver. */
const MOUSE = { type: "pointer", id: "mouse", parameters: { pointerType: "mouse" } };
const WHEEL = { type: "wheel", id: "wheel" };
const KEYBOARD = { type: "key", id: "keyboard" };

function pageOf(send, on, context) {
  const perform = (source, actions) => send("input.performActions", { context, actions: [{ ...source, actions }] });
  const errors = [];
  const page = {
    goto: (url) => send("browsingContext.navigate", { context, url, wait: "complete" }),
    /** Evaluates an expression, and awaits the result, which must be representable as JSON. */
    async evaluate(expression) {
      const { type, result, exceptionDetails } = await send("script.evaluate", {
        expression: `(async () => JSON.stringify((await (${expression})) ?? null))()`,
        target: { context },
        awaitPromise: true,
      });
      if (type === "exception") throw new Error(exceptionDetails.text);
      return JSON.parse(result.value);
    },
    /** Returns the number of workers of the page. */
    async workers() {
      const { realms } = await send("script.getRealms", { type: "dedicated-worker" });
      return realms.length;
    },
    /** Returns the uncaught errors of the page. Firefox also reports violations of the policy of the page as errors. */
    uncaught: async () => errors.filter((text) => !text.startsWith("Content-Security-Policy")),
    /** Calls `listener` with every uncaught error of the page. */
    onError(listener) {
      on((method, { level, type, text, source }) => {
        if (method === "log.entryAdded" && type === "javascript" && level === "error" && source.context === context) {
          listener(text);
        }
      });
    },
    mouse: {
      move: (x, y) => perform(MOUSE, [{ type: "pointerMove", x, y }]),
      down: (button = 0) => perform(MOUSE, [{ type: "pointerDown", button }]),
      up: (button = 0) => perform(MOUSE, [{ type: "pointerUp", button }]),
      click: (x, y, button = 0) =>
        perform(MOUSE, [
          { type: "pointerMove", x, y },
          { type: "pointerDown", button },
          { type: "pointerUp", button },
        ]),
      /** Turns the wheel by a number of pixels. */
      wheel: (x, y, deltaX, deltaY) => perform(WHEEL, [{ type: "scroll", x, y, deltaX, deltaY }]),
    },
    /** The keys of WebDriver: characters, or code points from U+E000 on for the other keys. */
    keyboard: {
      down: (value) => perform(KEYBOARD, [{ type: "keyDown", value }]),
      up: (value) => perform(KEYBOARD, [{ type: "keyUp", value }]),
      type: (text) =>
        perform(
          KEYBOARD,
          [...text].flatMap((value) => [
            { type: "keyDown", value },
            { type: "keyUp", value },
          ]),
        ),
    },
    close: () => send("browsingContext.close", { context }),
  };
  page.onError((text) => errors.push(text));
  return page;
}
