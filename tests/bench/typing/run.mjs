// How exactly and how fast text is typed: `npm run bench -- typing [ROUNDS [WHAT]]`, where WHAT is a part of the name of a
// toolkit or of a way to type. Beside the call the same by xdotool, where it is installed, in the same windows on computers of
// their own, with its own pause of 12 ms between keys and with none; and, where a window can do it, by the window itself, with no
// event of the X server, which is as fast as any way to type could be seen to be.
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
const WHAT = argv[3] ?? "";
/** How long a window must stay as it is to be taken for final. */
const SETTLED = 2_000;
/** By then every text has long been there, or never will be. */
const LIMIT = 60_000;

const xdotool = (delay) => (computer, text) => {
  const encoded = Buffer.from(text).toString("base64");
  // Less than any call may take; what it has not typed by then is not exact.
  return computer.bash(`echo ${encoded} | base64 -d | timeout 50 xdotool type --delay ${delay} --file -; true`);
};
const ITSELF = "the toolkit itself";
const methods = { "type call": (computer, text) => computer.act("type", { text }) };
if (spawnSync("sh", ["-c", "command -v xdotool"]).status === 0) {
  methods["xdotool, 12 ms"] = xdotool(12);
  methods["xdotool, 0 ms"] = xdotool(0);
} else {
  console.log("xdotool is not beside it, since it is not installed (the package xdotool)");
}

const isPossible = (toolkit, method) => method !== ITSELF || windows[toolkit].insertion !== undefined;

/** A way to type into windows of the toolkit. */
function way(toolkit, method) {
  if (method !== ITSELF) return methods[method];
  const into = windows[toolkit].insertion;
  return (computer, text) => computer.bash(`echo ${Buffer.from(text).toString("base64")} | base64 -d > ${into}`);
}

/** Types, and tells what came of it, and when the call returned and when the last character was there, in ms. */
async function measure(computer, window, type, text) {
  const began = performance.now();
  await type(computer, text);
  const returned = performance.now() - began;
  let content;
  let changed = performance.now();
  while (content !== text && performance.now() - changed < SETTLED && performance.now() - began < LIMIT) {
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
      const run = await measure(computer, window, way(toolkit, method), text);
      // Nothing tells when a toolkit has inserted it.
      if (method === ITSELF) run.returned = undefined;
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
      by: method,
      exact,
      "characters/s, call": rate("returned"),
      "characters/s, seen": rate("arrived"),
    });
  }
  await computer.delete();
  return table;
}

const desktop = await startDesktop();
try {
  const wire = new Wire(desktop.options);
  const workspace = (await wire.call("POST", "/workspaces", { name: "typing" })).body.id;
  console.log(
    `Texts of 200 characters, load ${loadavg()[0].toFixed(1)}. A window is read as often as that goes, every 10 to 50 ms.`,
  );
  for (const toolkit of Object.keys(windows)) {
    for (const method of [...Object.keys(methods), ITSELF]) {
      if (!isPossible(toolkit, method) || !`${toolkit} by ${method}`.includes(WHAT)) continue;
      console.table(await rows(wire, workspace, toolkit, method));
    }
  }
} finally {
  await desktop.stop();
}
