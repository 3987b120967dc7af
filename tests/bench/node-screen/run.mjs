// Measures the live screen in Node: `npm run bench -- node-screen [--write]`.
import { cpus, loadavg } from "node:os";
import { argv } from "node:process";
import { createComputer } from "../../support/computer.mjs";
import { startDesktop } from "../../support/desktop.mjs";
import { startGate } from "../../support/gate.mjs";
import { startScene } from "../../support/scenes.mjs";
import { until } from "../../support/wait.mjs";
import { median, quantile } from "../measure.mjs";
import { writeSection } from "../node/figures.mjs";
import { root } from "../node/peer.mjs";

process.env.ORGO_BINDING = "native";
const sdk = await import("orgo-sdk");

const ROUNDS = Number(process.env.ORGO_BENCH_ROUNDS ?? 5);
const IMAGES = 200;
/** The duration of a round with a moving scene, in milliseconds. */
const DURATION = 4_000;

const SCENES = { scroll: "text that scrolls", mix: "text, video and windows" };

const load = loadavg()[0];
const desktop = await startDesktop();
// Counts what the calls of the API send. The screen does not use the gate.
const gate = await startGate(desktop.options.baseUrl);
try {
  const { computer } = await createComputer(sdk, { ...desktop.options, baseUrl: gate.through(desktop.options.baseUrl) });
  const screen = await computer.screen();
  const images = await timeImages(computer, screen);
  const scenes = [];
  for (const name of Object.keys(SCENES)) scenes.push(await timeScene(computer, screen, name));
  await screen.close();
  const loads = [load, loadavg()[0]].map((load) => load.toFixed(1)).join(", ");
  const text = [
    `Node ${process.version.replace("v", "")}, ${cpus().length} cores, load of the machine before and after the run: ${loads}. Images of an ` +
      `unchanged screen of 1280x720 pixels (${IMAGES} of each), in milliseconds:`,
    "",
    table(images),
    `A moving screen of 1280x720 pixels while a program reads every change (medians of ${ROUNDS} rounds of ${DURATION / 1000} s):`,
    "",
    table(scenes),
  ].join("\n");
  console.log(text);
  if (argv.includes("--write")) writeSection(root, "node-screen", text);
} finally {
  await gate.close();
  await desktop.stop();
}

/** Measures images of an unchanged screen, next to calls of the API. */
async function timeImages(computer, screen) {
  await screen.settled({ quiet: 1_000, timeout: 60_000 });
  const ways = {
    "`screen.screenshot()`, PNG": () => screen.screenshot(),
    "`screen.screenshot()`, JPEG": () => screen.screenshot({ format: "jpeg" }),
    "`screen.screenshot()`, pixels": () => screen.screenshot({ format: "rgba" }),
    "`computer.screenshot()`, PNG": () => computer.screenshot(),
  };
  const rows = [];
  for (const [image, take] of Object.entries(ways)) {
    const sent = gate.passed();
    const { time: first, data } = await timed(take);
    const times = [];
    for (let round = 0; round < IMAGES; round += 1) times.push((await timed(take)).time);
    rows.push({
      image,
      kB: Math.round(data.length / 1000),
      first: first.toFixed(2),
      median: median(times).toFixed(3),
      "95th percentile": quantile(times, 0.95).toFixed(3),
      "bytes sent to the API": gate.passed() - sent,
    });
  }
  return rows;
}

async function timed(take) {
  const began = performance.now();
  const { data } = await take();
  return { time: performance.now() - began, data };
}

/** Measures the CPU time of this process while the screen moves, and a consumer reads every change. */
async function timeScene(computer, screen, name) {
  const shown = await startScene(computer, name);
  const received = () => screen.counters.received;
  const abort = new AbortController();
  const reading = readChanges(screen, abort.signal);
  const start = received();
  await until("the scene", () => received() > start + 30, 60_000);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [cpu, updates, began] = [process.cpuUsage(), received(), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, DURATION));
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (performance.now() - began) / 1000;
    rounds.push({ updates: (received() - updates) / seconds, core: (user + system) / 1e4 / seconds });
  }
  // The last changes of the scene end the loop.
  abort.abort();
  await reading;
  await shown.stop();
  const middle = (field) => median(rounds.map(({ [field]: value }) => value)).toFixed(1);
  return { scene: SCENES[name], "updates per second": middle("updates"), "% of a core": middle("core") };
}

async function readChanges(screen, signal) {
  for await (const _ of screen) if (signal.aborted) break;
}

function table(rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const columns = Object.keys(rows[0]);
  return [line(columns), `|${"---|".repeat(columns.length)}`, ...rows.map((row) => line(Object.values(row))), ""].join("\n");
}
