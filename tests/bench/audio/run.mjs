// How sound is played: `npm run bench -- audio [SECONDS [ROUNDS [PATTERN]]]`. The ways run side by side on the
// same frames, each in a page of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { argv } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { startPages } from "../../support/pages.mjs";
import { numberOf, startSoundServer } from "../../support/sound-server.mjs";
import { median, quantile } from "../measure.mjs";
import { startBrowser } from "../../support/cdp.mjs";
import { patterns } from "./patterns.mjs";

const [SECONDS = 20, ROUNDS = 3] = argv.slice(2, 4).map(Number);
const WANTED = argv[4] ?? "";
const WAYS = ["orgo", "buffers", "worklet"];
/** What counts begins so long after the start, in seconds. */
const WARM_UP = 3;
const REPEAT = 1000;

const folder = mkdtempSync(join(tmpdir(), "orgo-sound-"));
await build({
  root: fileURLToPath(new URL("page", import.meta.url)),
  logLevel: "warn",
  build: { outDir: folder, emptyOutDir: true },
});
// Sites of their own, so that each page has a process of its own.
const sites = await Promise.all(WAYS.map((_, at) => startPages(() => folder, { host: `127.0.0.${at + 2}` })));

async function round({ line, block, contextRate = 24_000, only = WAYS }, seed) {
  const browser = await startBrowser();
  const server = await startSoundServer(line(seed));
  try {
    const pages = {};
    for (const way of only) pages[way] = await browser.openPage(sites[WAYS.indexOf(way)].origin);
    await sleep(1000);
    await Promise.all(
      Object.entries(pages).map(([way, page], at) => {
        const settings = { way, url: server.url, contextRate, block: block && { ...block, offset: at * 600 } };
        return page.evaluate(`begin(${JSON.stringify(settings)})`);
      }),
    );
    await sleep(WARM_UP * 1000);
    const before = await Promise.all(Object.values(pages).map((page) => page.busy()));
    for (const page of Object.values(pages)) await page.evaluate("collect() && null");
    await sleep(SECONDS * 1000);
    const result = {};
    for (const [at, [way, page]] of Object.entries(pages).entries()) {
      const { blocks, figures } = await page.evaluate("collect()");
      const busy = ((await page.busy()) - before[at]) / SECONDS;
      // The page's own work is not the player's.
      result[way] = { ...judge(blocks, server), busy: busy - (block ? block.length / block.every : 0), figures };
    }
    return result;
  } finally {
    await browser.close();
    await server.close();
  }
}

/** What the tap heard, as figures. */
function judge(blocks, { began, pace }) {
  const latencies = [];
  let [concealed, underruns, sounded] = [0, 0, true];
  for (const [now, value, silent] of blocks) {
    concealed += silent;
    const sounds = silent === 0;
    if (sounded && !sounds) underruns += 1;
    sounded = sounds;
    if (value === null || !sounds) continue;
    const newest = (now - began) / pace - 1;
    // The number says which of the last thousand frames it was.
    const age = (((newest - numberOf(value)) % REPEAT) + REPEAT) % REPEAT;
    latencies.push(age * pace);
  }
  const minutes = SECONDS / 60;
  return {
    p50: quantile(latencies, 0.5),
    p95: quantile(latencies, 0.95),
    underruns: underruns / minutes,
    concealed: (concealed * 1000) / minutes,
    first: median(latencies.slice(0, latencies.length / 10)),
    last: median(latencies.slice(-latencies.length / 10)),
  };
}

try {
  for (const [name, pattern] of Object.entries(patterns)) {
    if (!name.includes(WANTED)) continue;
    const rounds = [];
    const loads = [];
    for (let seed = 1; seed <= ROUNDS; seed += 1) {
      rounds.push(await round(pattern, seed));
      loads.push(loadavg()[0].toFixed(1));
    }
    console.log(`\n${name}: ${ROUNDS} rounds of ${SECONDS} s, load ${loads.join(", ")}`);
    const rows = {};
    for (const way of pattern.only ?? WAYS) {
      const figure = (key) => median(rounds.map((result) => result[way][key]));
      const ratio = (key, other) => median(rounds.map((result) => result[way][key] / result[other][key]));
      rows[way] = Object.fromEntries(
        ["p50", "p95", "underruns", "concealed", "first", "last"].map((key) => [key, Math.round(figure(key))]),
      );
      rows[way]["busy %"] = Number((figure("busy") * 100).toFixed(2));
      for (const other of (pattern.only ?? WAYS).filter((other) => other !== way)) {
        rows[way][`p50 to ${other}`] = Number(ratio("p50", other).toFixed(2));
      }
    }
    console.table(rows);
    console.log("the package's own figures:", JSON.stringify(rounds.at(-1).orgo.figures));
  }
} finally {
  await Promise.all(sites.map((site) => site.close()));
  rmSync(folder, { recursive: true });
}
