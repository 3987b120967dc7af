// Controls Chromium by the Chrome DevTools Protocol, for measurements. Playwright would affect the measurements, because it
// also processes every request and every socket message.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "undici";
import { executable, FLAGS } from "./chromium.mjs";

/** Starts a browser with additional flags that does not throttle background pages. */
export async function startBrowser(flags = []) {
  const profile = mkdtempSync(join(tmpdir(), "orgo-chromium-"));
  const more = [
    "--headless=new",
    "--remote-debugging-port=0",
    `--user-data-dir=${profile}`,
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
  ];
  // The kernel ends the browser when this process ends, because a killed process cannot close the browser.
  const command = ["--pdeathsig", "TERM", executable(), ...FLAGS, ...more, ...flags, "about:blank"];
  const child = spawn("setpriv", command, { stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`Chromium ended with ${code}`)));
    createInterface({ input: child.stderr }).on("line", (line) => {
      const found = /DevTools listening on (ws:\S+)/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("cannot connect to Chromium"));
  });
  const pending = new Map();
  const events = new EventTarget();
  socket.onmessage = ({ data }) => {
    const { id, result, error, method, params, sessionId } = JSON.parse(data);
    if (id === undefined) {
      events.dispatchEvent(new CustomEvent(`${sessionId} ${method}`, { detail: params }));
      return;
    }
    const { resolve, reject } = pending.get(id);
    pending.delete(id);
    if (error) reject(new Error(error.message));
    else resolve(result);
  };
  let last = 0;
  const send = (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      last += 1;
      pending.set(last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
    });
  return {
    /** Opens a page. `settings` are those of `Performance.enable`. */
    openPage: (url, settings = {}) => openPage(send, events, url, settings),
    /** Returns the ids of the processes of a type, such as `renderer` or `GPU`. */
    async processes(type) {
      const { processInfo } = await send("SystemInfo.getProcessInfo");
      return processInfo.filter((process) => process.type === type).map(({ id }) => id);
    },
    async close() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      // The browser may end before it sends the response.
      await Promise.race([send("Browser.close"), ended]);
      await ended;
      socket.close();
      rmSync(profile, { recursive: true, maxRetries: 10 });
    },
  };
}

async function openPage(send, events, url, settings) {
  const { targetId } = await send("Target.createTarget", { url });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  await send("Performance.enable", settings, sessionId);
  const evaluator = (target) => async (expression) => {
    const { result, exceptionDetails } = await send(
      "Runtime.evaluate",
      { expression, awaitPromise: true, returnByValue: true },
      target,
    );
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  return {
    evaluate: evaluator(sessionId),
    /** Returns the worker of the page, in which expressions can be evaluated too. */
    async worker() {
      const attached = new Promise((resolve) => {
        const name = `${sessionId} Target.attachedToTarget`;
        events.addEventListener(name, ({ detail }) => resolve(detail.sessionId), { once: true });
      });
      await send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: true }, sessionId);
      return { evaluate: evaluator(await attached) };
    },
    /** Dispatches an event of the mouse or the keyboard, such as `dispatchKeyEvent`. */
    input: (method, params) => send(`Input.${method}`, params, sessionId),
    /** Records a CPU profile of the page's main thread while `work` runs. Returns it with the result of `work`. */
    async profile(work) {
      await send("Profiler.enable", {}, sessionId);
      await send("Profiler.setSamplingInterval", { interval: 200 }, sessionId);
      await send("Profiler.start", {}, sessionId);
      const result = await work();
      return { result, recorded: (await send("Profiler.stop", {}, sessionId)).profile };
    },
    /** Returns the busy time of the page's main thread so far, in seconds. */
    async busy() {
      const { metrics } = await send("Performance.getMetrics", {}, sessionId);
      return metrics.find(({ name }) => name === "TaskDuration").value;
    },
    /** Collects garbage. Returns the heap size of the page's main thread, in bytes. */
    async heap() {
      await send("HeapProfiler.collectGarbage", {}, sessionId);
      return (await send("Runtime.getHeapUsage", {}, sessionId)).usedSize;
    },
    close: () => send("Target.closeTarget", { targetId }),
  };
}
