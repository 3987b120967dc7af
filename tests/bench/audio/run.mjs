// How sound is played: `npm run bench -- audio [SECONDS [ROUNDS [PATTERN]]]`. The ways run side by side on the same
// frames, each in a page of its own; `port` and `ring` are the package's. ORGO_BENCH_LOAD says how many programs compute
// beside them without a pause: how far the ways differ depends on how often the machine is late.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { argv, env, execPath } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { buildPage } from "../../support/build-page.mjs";
import { startBrowser } from "../../support/cdp.mjs";
import { startPages } from "../../support/pages.mjs";
import { startAudioServer } from "../../support/audio-server.mjs";
import { median } from "../measure.mjs";
import { judge } from "./metrics.mjs";
import { patterns } from "./patterns.mjs";

const [SECONDS = 20, ROUNDS = 3] = argv.slice(2, 4).map(Number);
const WANTED = argv[4] ?? "";
const LOAD = Number(env.ORGO_BENCH_LOAD ?? 0);
const PEERS = ["buffers", "worklet"];
const WAYS = ["port", "ring", ...PEERS];
/** What counts begins so long after the start, in seconds. */
const WARM_UP = 3;

const folder = mkdtempSync(join(tmpdir(), "orgo-sound-"));
await buildPage(new URL("page", import.meta.url), folder, { minify: true });
// Sites of their own, so that each page has a process of its own.
const sites = await Promise.all(
  WAYS.map((way, at) => startPages(() => folder, { host: `127.0.0.${at + 2}`, isolated: way === "ring" })),
);

async function round({ line, block, every, contextRate = 24_000, only = WAYS }, seed) {
  const browser = await startBrowser();
  const server = await startAudioServer(line(seed));
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
    // The server is in this process, which now has figures to read, and sends late.
    const end = Date.now();
    const result = {};
    for (const [at, [way, page]] of Object.entries(pages).entries()) {
      const { blocks, figures } = await page.evaluate("collect()");
      const heard = blocks.filter(([now]) => now <= end);
      const busy = ((await page.busy()) - before[at]) / SECONDS;
      // The page's own work is not the player's.
      const own = block ? block.length / block.every : 0;
      const { targets = [], ...last } = figures;
      result[way] = { ...judge(heard, server, SECONDS, targets, every), busy: busy - own, figures: last };
    }
    return result;
  } finally {
    await browser.close();
    await server.close();
  }
}

const burners = Array.from({ length: LOAD }, () => spawn(execPath, ["-e", "for (;;);"]));
try {
  for (const [name, pattern] of Object.entries(patterns)) {
    if (!name.includes(WANTED)) continue;
    const rounds = [];
    const loads = [];
    for (let seed = 1; seed <= ROUNDS; seed += 1) {
      rounds.push(await round(pattern, seed));
      loads.push(loadavg()[0].toFixed(1));
    }
    console.log(`\n${name}: ${ROUNDS} rounds of ${SECONDS} s, ${LOAD} programs beside it, load ${loads.join(", ")}`);
    const rows = {};
    for (const way of pattern.only ?? WAYS) {
      const figure = (key) => median(rounds.map((result) => result[way][key]));
      const ratio = (key, other) => median(rounds.map((result) => result[way][key] / result[other][key]));
      rows[way] = Object.fromEntries(
        ["p50", "p95", "underruns", "concealed", "early", "late", "beyond"]
          .filter((key) => rounds.every((result) => key in result[way]))
          .map((key) => [key, Math.round(figure(key))]),
      );
      rows[way]["busy %"] = Number((figure("busy") * 100).toFixed(2));
      for (const other of (pattern.only ?? WAYS).filter((other) => other !== way && PEERS.includes(other))) {
        rows[way][`p50 to ${other}`] = Number(ratio("p50", other).toFixed(2));
        if (other === "worklet") rows[way]["busy to worklet"] = Number(ratio("busy", other).toFixed(2));
      }
    }
    console.table(rows);
    const brief = ([way, { p50, concealed }]) => `${way} ${p50.toFixed(0)}, ${concealed.toFixed(0)}`;
    console.log("p50 and concealed, round by round:");
    for (const result of rounds) console.log(`  ${Object.entries(result).map(brief).join("; ")}`);
    for (const way of ["port", "ring"]) {
      console.log("the player's own figures:", JSON.stringify(rounds.at(-1)[way].figures));
    }
  }
} finally {
  for (const burner of burners) burner.kill();
  await Promise.all(sites.map((site) => site.close()));
  rmSync(folder, { recursive: true });
}
