// Measures calls and sizes: `npm run bench`. The absolute times depend on the machine; the ratios to plain `fetch` in
// the same run are more meaningful.
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { WebSocket } from "undici";
import { startChromium } from "../support/chromium.mjs";
import { createComputer } from "../support/computer.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { servePage } from "../support/page.mjs";
import { throughClient, throughFetch } from "./calls.mjs";
import { timeKeystrokes } from "./keystrokes.mjs";
import { interleave, median, quantile } from "./measure.mjs";
import { linesOfCode, shippedSizes } from "./sizes.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ROUNDS = Number(process.env.ORGO_BENCH_ROUNDS ?? 100);
const KEYSTROKES = 200;

/** Loads both bindings into this process: one through the ES module of the package, the other through the CommonJS module. */
async function bothBindings() {
  globalThis.WebSocket ??= WebSocket;
  process.env.ORGO_BINDING = "native";
  const native = await import("orgo-sdk");
  await native.Orgo.bindingInfo();
  process.env.ORGO_BINDING = "wasm";
  const wasm = createRequire(import.meta.url)("orgo-sdk");
  await wasm.Orgo.bindingInfo();
  return { native, wasm };
}

async function inNode({ native, wasm }, options, id) {
  const clients = { native: new native.Orgo(options), wasm: new wasm.Orgo(options) };
  const variants = {
    native: throughClient(clients.native, id),
    wasm: throughClient(clients.wasm, id),
    fetch: throughFetch(options, id),
  };
  const timed = (call) => {
    const selected = Object.entries(variants).map(([name, calls]) => [name, calls[call]]);
    return interleave(Object.fromEntries(selected), ROUNDS);
  };
  return {
    click: await timed("click"),
    screenshot: await timed("screenshot"),
    keystroke: {
      native: await timeKeystrokes(clients.native.computer(id), KEYSTROKES),
      wasm: await timeKeystrokes(clients.wasm.computer(id), KEYSTROKES),
    },
  };
}

async function inPage(pages, options, id) {
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.goto(pages.origin);
    const settings = { options, id, rounds: ROUNDS, keystrokes: KEYSTROKES };
    return await page.evaluate((given) => globalThis.measure(given), settings);
  } finally {
    await browser.close();
  }
}

function timeRows(place, { click, screenshot, keystroke }) {
  const rounded = (value) => Number(value.toFixed(2));
  const row = (what, by, values) => ({
    ...{ what, where: place, by },
    median: rounded(median(values)),
    p95: rounded(quantile(values, 0.95)),
  });
  const rows = [];
  for (const [what, times] of Object.entries({ click, screenshot })) {
    for (const [name, values] of Object.entries(times)) {
      // Computes the ratio within each round, because temporary load on the machine affects both times of a round.
      const ratio = median(values.map((value, round) => value / times.fetch[round]));
      rows.push({ ...row(what, name, values), "/ fetch": rounded(ratio) });
    }
  }
  return [...rows, ...Object.entries(keystroke).map(([name, values]) => row("keystroke to echo", name, values))];
}

const pages = await servePage(new URL("page", import.meta.url), { build: { minify: true } });
let desktop;
try {
  desktop = await startDesktop({ allowOrigins: [pages.origin] });
  const bindings = await bothBindings();
  const { computer } = await createComputer(bindings.native, desktop.options);
  const node = await inNode(bindings, desktop.options, computer.id);
  const page = await inPage(pages, desktop.options, computer.id);
  console.log(`Times in milliseconds, ${ROUNDS} rounds, ${cpus().length} cores, Node ${process.version}`);
  console.table([...timeRows("Node", node), ...timeRows("Chromium", page)]);
  console.log("Sizes in bytes");
  console.table(await shippedSizes(root));
  console.log("Lines without blank lines");
  console.table(linesOfCode(root));
} finally {
  await desktop?.stop();
  await pages.close();
}
