// Divides the time of a click in a page into its parts: `npm run bench -- click`. All variants run in one page, in short turns, and
// each one does one thing more than the one before it.
import { cpus, loadavg } from "node:os";
import { startBrowser } from "../../support/cdp.mjs";
import { servePage } from "../../support/page.mjs";
import { until } from "../../support/wait.mjs";
import { median, quantile, shuffled } from "../measure.mjs";
import { startPeer } from "../node/peer.mjs";

const ROUNDS = Number(process.env.ORGO_BENCH_ROUNDS ?? 40);
const COUNT = 100;
const PARALLEL = 16;
const WARM_UP = 3;

const pages = await servePage(new URL("page", import.meta.url), { build: { minify: true, target: "es2022" } });
const peer = await startPeer();
const browser = await startBrowser();
try {
  // The CPU time of the thread, which other load on the machine changes less than the elapsed time.
  const page = await browser.openPage(pages.origin, { timeDomain: "threadTicks" });
  await until("the page", () => page.evaluate("globalThis.prepare !== undefined"));
  const names = await page.evaluate(`prepare(${JSON.stringify(peer.origin)})`);
  /** Returns the time of the main thread for each click, in microseconds. */
  const measure = async (name) => {
    const before = await page.busy();
    await page.evaluate(`work(${JSON.stringify(name)}, ${COUNT}, ${PARALLEL})`);
    return ((await page.busy()) - before) * (1e6 / COUNT);
  };
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    for (const name of shuffled(names)) {
      const time = await measure(name);
      if (round >= 0) times[name].push(time);
    }
  }
  console.log(
    `${ROUNDS} rounds of ${COUNT} clicks, ${PARALLEL} at once, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}.`,
  );
  console.table(
    names.map((name, index) => {
      // The lower quantile contains less of the disturbance by other programs, which only adds time.
      const low = (name) => quantile(times[name], 0.2);
      const [base] = names;
      return {
        "with, in addition": name,
        "µs, lower fifth": Math.round(low(name)),
        "µs, median": Math.round(median(times[name])),
        "added µs": index === 0 ? "" : Math.round(low(name) - low(names[index - 1])),
        "/ fetch, lower fifth": (low(name) / low(base)).toFixed(2),
        "/ fetch, median": (median(times[name]) / median(times[base])).toFixed(2),
      };
    }),
  );
} finally {
  await browser.close();
  peer.stop();
  await pages.close();
}
