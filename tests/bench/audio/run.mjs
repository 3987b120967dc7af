// Compares audio players: `npm run bench -- audio [SECONDS [ROUNDS [PATTERN]]]`. All players run at the same time,
// each in its own page, and play the same frames. `port` and `ring` are the package's player with different transports.
// ORGO_BENCH_LOAD is the number of additional programs that keep the CPU busy. The differences between the players depend
// on the load of the machine.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { argv, env, execPath } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { startAudioServer } from "../../support/audio-server.mjs";
import { buildPage } from "../../support/build-page.mjs";
import { startBrowser } from "../../support/cdp.mjs";
import { startPages } from "../../support/pages.mjs";
import { median } from "../measure.mjs";
import { computeMetrics } from "./metrics.mjs";
import { patterns } from "./patterns.mjs";

const [SECONDS = 20, ROUNDS = 3] = argv.slice(2, 4).map(Number);
const PATTERN = argv[4] ?? "";
const LOAD = Number(env.ORGO_BENCH_LOAD ?? 0);
const PEERS = ["buffers", "worklet"];
const PLAYERS = ["port", "ring", ...PEERS];
/** The time between the start of the players and the measurement, in seconds. */
const WARM_UP = 3;

const folder = mkdtempSync(join(tmpdir(), "orgo-audio-"));
await buildPage(new URL("page", import.meta.url), folder, { minify: true });
// Different sites, because Chromium runs pages of one site in one process.
const sites = await Promise.all(
  PLAYERS.map((player, at) => startPages(() => folder, { host: `127.0.0.${at + 2}`, isolated: player === "ring" })),
);

async function round({ line, block, every, contextRate = 24_000, only = PLAYERS }, seed) {
  const browser = await startBrowser();
  const server = await startAudioServer(line(seed));
  try {
    const pages = {};
    for (const player of only) pages[player] = await browser.openPage(sites[PLAYERS.indexOf(player)].origin);
    await sleep(1000);
    await Promise.all(
      Object.entries(pages).map(([player, page], at) => {
        const settings = { player, url: server.url, contextRate, block: block && { ...block, offset: at * 600 } };
        return page.evaluate(`begin(${JSON.stringify(settings)})`);
      }),
    );
    await sleep(WARM_UP * 1000);
    const before = await Promise.all(Object.values(pages).map((page) => page.busy()));
    for (const page of Object.values(pages)) await page.evaluate("collect() && null");
    await sleep(SECONDS * 1000);
    // Reading the results delays the audio server, which runs in this process. So blocks after this time are ignored.
    const end = Date.now();
    const result = {};
    for (const [at, [player, page]] of Object.entries(pages).entries()) {
      const { blocks, stats } = await page.evaluate("collect()");
      const counted = blocks.filter(([now]) => now <= end);
      const busy = ((await page.busy()) - before[at]) / SECONDS;
      // The time in which the page blocks its main thread deliberately is not part of the player's busy time.
      const own = block ? block.length / block.every : 0;
      const { targets = [], ...last } = stats;
      result[player] = { ...computeMetrics(counted, server, SECONDS, targets, every), busy: busy - own, stats: last };
    }
    return result;
  } finally {
    await browser.close();
    await server.close();
  }
}

const busyPrograms = Array.from({ length: LOAD }, () => spawn(execPath, ["-e", "for (;;);"]));
try {
  for (const [name, pattern] of Object.entries(patterns)) {
    if (!name.includes(PATTERN)) continue;
    const rounds = [];
    const loads = [];
    for (let seed = 1; seed <= ROUNDS; seed += 1) {
      rounds.push(await round(pattern, seed));
      loads.push(loadavg()[0].toFixed(1));
    }
    console.log(`\n${name}: ${ROUNDS} rounds of ${SECONDS} s, ${LOAD} busy programs, load ${loads.join(", ")}`);
    const rows = {};
    for (const player of pattern.only ?? PLAYERS) {
      const metric = (key) => median(rounds.map((result) => result[player][key]));
      const ratio = (key, other) => median(rounds.map((result) => result[player][key] / result[other][key]));
      rows[player] = Object.fromEntries(
        ["p50", "p95", "underruns", "concealed", "early", "late", "beyond"]
          .filter((key) => rounds.every((result) => key in result[player]))
          .map((key) => [key, Math.round(metric(key))]),
      );
      rows[player]["busy %"] = Number((metric("busy") * 100).toFixed(2));
      for (const other of (pattern.only ?? PLAYERS).filter((other) => other !== player && PEERS.includes(other))) {
        rows[player][`p50 / ${other}`] = Number(ratio("p50", other).toFixed(2));
        if (other === "worklet") rows[player]["busy / worklet"] = Number(ratio("busy", other).toFixed(2));
      }
    }
    console.table(rows);
    const brief = ([player, { p50, concealed }]) => `${player} ${p50.toFixed(0)}, ${concealed.toFixed(0)}`;
    console.log("p50 and concealed of each round:");
    for (const result of rounds) console.log(`  ${Object.entries(result).map(brief).join("; ")}`);
    for (const player of ["port", "ring"]) {
      console.log("statistics of the package's player:", JSON.stringify(rounds.at(-1)[player].stats));
    }
  }
} finally {
  for (const program of busyPrograms) program.kill();
  await Promise.all(sites.map((site) => site.close()));
  rmSync(folder, { recursive: true });
}
