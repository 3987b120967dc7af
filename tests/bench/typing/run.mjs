// Measures the accuracy and speed of typing: `npm run bench -- typing [ROUNDS [FILTER]]`. FILTER is a part of the name
// of a toolkit or a method. The methods are: the `type` call; xdotool, if installed, with its default pause of 12 ms
// between keys and without a pause; and, if the window supports it, the toolkit itself without X events, which is an
// upper bound of the speed. Each combination runs on a separate computer.
import { spawnSync } from "node:child_process";
import { loadavg } from "node:os";
import { argv } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Wire } from "../../conformance/wire.mjs";
import { TestComputer } from "../../desktop/computer.mjs";
import { sample, setNames } from "../../desktop/texts.mjs";
import { TypingWindow, windows } from "../../desktop/windows.mjs";
import { startDesktop } from "../../support/desktop.mjs";
import { median } from "../measure.mjs";

const ROUNDS = Number(argv[2] ?? 5);
const FILTER = argv[3] ?? "";
/** The time without changes after which the content of a window counts as final, in milliseconds. */
const SETTLE_TIME = 2_000;
/** The maximum time to wait until a window contains the typed text, in milliseconds. */
const LIMIT = 60_000;

const xdotool = (delay) => (computer, text) => {
  const encoded = Buffer.from(text).toString("base64");
  // The timeout is shorter than the time limit of a call. Text that xdotool has not typed by then counts as not exact.
  return computer.bash(`echo ${encoded} | base64 -d | timeout 50 xdotool type --delay ${delay} --file -; true`);
};
const TOOLKIT = "the toolkit itself";
const methods = { "type call": (computer, text) => computer.call("type", { text }) };
if (spawnSync("sh", ["-c", "command -v xdotool"]).status === 0) {
  methods["xdotool, 12 ms"] = xdotool(12);
  methods["xdotool, 0 ms"] = xdotool(0);
} else {
  console.log("xdotool is not measured: it is not installed (package xdotool)");
}

const isPossible = (toolkit, method) => method !== TOOLKIT || windows[toolkit].insertion !== undefined;

/** Returns a function that types text by the method into windows of the toolkit. */
function typist(toolkit, method) {
  if (method !== TOOLKIT) return methods[method];
  const fifo = windows[toolkit].insertion;
  return (computer, text) => computer.bash(`echo ${Buffer.from(text).toString("base64")} | base64 -d > ${fifo}`);
}

/** Types text. Returns whether the result is exact, and the times until the call returned and the text was complete, in ms. */
async function measure(computer, window, type, text) {
  const began = performance.now();
  await type(computer, text);
  const returned = performance.now() - began;
  let content;
  let changed = performance.now();
  while (content !== text && performance.now() - changed < SETTLE_TIME && performance.now() - began < LIMIT) {
    const now = await window.content();
    if (now !== content) changed = performance.now();
    content = now;
    await sleep(5);
  }
  const arrived = content === text ? performance.now() - began : undefined;
  await window.empty();
  return { exact: content === text, returned, arrived };
}

async function rows(wire, workspace, toolkit, method) {
  const computer = await TestComputer.start(wire, workspace, `${toolkit}, ${method}`);
  const window = await TypingWindow.open(computer, toolkit);
  const table = [];
  for (const set of setNames) {
    const runs = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const text = sample(set, round);
      const run = await measure(computer, window, typist(toolkit, method), text);
      // The toolkit does not report when it has inserted the text, so there is no time of return.
      if (method === TOOLKIT) run.returned = undefined;
      runs.push({ ...run, length: [...text].length });
    }
    const rate = (time) => {
      const rates = runs.filter((run) => run[time] !== undefined).map((run) => (run.length / run[time]) * 1000);
      return rates.length > 0 ? Math.round(median(rates)) : undefined;
    };
    const exact = `${runs.filter((run) => run.exact).length} of ${ROUNDS}`;
    table.push({
      toolkit,
      set,
      method,
      exact,
      "characters/s, call": rate("returned"),
      "characters/s, visible": rate("arrived"),
    });
  }
  await computer.delete();
  return table;
}

const desktop = await startDesktop();
try {
  const wire = new Wire(desktop.options);
  const workspace = (await wire.call("POST", "/workspaces", { name: "typing" })).body.id;
  console.log(`Texts of 200 characters, load ${loadavg()[0].toFixed(1)}. The content of a window is read every 10 to 50 ms.`);
  for (const toolkit of Object.keys(windows)) {
    for (const method of [...Object.keys(methods), TOOLKIT]) {
      if (!isPossible(toolkit, method) || !`${toolkit} by ${method}`.includes(FILTER)) continue;
      console.table(await rows(wire, workspace, toolkit, method));
    }
  }
} finally {
  await desktop.stop();
}
