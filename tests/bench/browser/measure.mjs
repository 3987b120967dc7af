// Runs one variant of one workload in a new Chromium, and measures the CPU time of the page.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPage } from "../../support/build-page.mjs";
import { startBrowser } from "../../support/cdp.mjs";
import { startPages } from "../../support/pages.mjs";
import { until } from "../../support/wait.mjs";
import { startPeer } from "../node/peer.mjs";

/** Builds the page, and starts its server and the server of the benchmark. */
export async function startBench() {
  const folder = mkdtempSync(join(tmpdir(), "orgo-bench-"));
  await buildPage(new URL("page", import.meta.url), folder, { minify: true, target: "es2022" });
  // xterm.js sets its colors and cell sizes in style elements.
  const pages = await startPages(() => folder, { styles: "'self' 'unsafe-inline'" });
  const peer = await startPeer();
  return {
    measure: (workload, variant, options) => measure(pages, peer, workload, variant, options),
    async stop() {
      peer.stop();
      await pages.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * Measures a variant. `profile` returns a CPU profile too, which makes the times useless.
 *
 * @returns {Promise<{ operations: number, lost: number, cpu: number, main: number, profile?: object }>} the CPU time of the
 *   renderer and of its main thread, in milliseconds
 */
async function measure(pages, peer, { code, settings }, variant, { profile = false } = {}) {
  const browser = await startBrowser();
  try {
    // The CPU time of the thread, which other load on the machine changes less than the elapsed time.
    const page = await browser.openPage(pages.origin, { timeDomain: "threadTicks" });
    await until("the page", () => page.evaluate("globalThis.prepare !== undefined"));
    const given = [code, variant, peer.origin, settings].map((argument) => JSON.stringify(argument));
    await page.evaluate(`prepare(${given})`);
    const cpu = async () => ({ main: (await page.busy()) * 1000, cpu: rendererTime(await browser.renderers()) });
    const before = await cpu();
    const work = () => page.evaluate("work()");
    const { result, recorded } = profile ? await page.profile(work) : { result: await work() };
    const after = await cpu();
    return { ...result, main: after.main - before.main, cpu: after.cpu - before.cpu, profile: recorded };
  } finally {
    await browser.close();
  }
}

/** Returns the CPU time of processes, in milliseconds. The kernel counts the time of each thread. */
function rendererTime(processes) {
  const threads = processes.flatMap((id) => readdirSync(`/proc/${id}/task`).map((thread) => `/proc/${id}/task/${thread}`));
  const times = threads.map((thread) => Number(readFileSync(`${thread}/schedstat`, "utf8").split(" ")[0]));
  return times.reduce((sum, time) => sum + time, 0) / 1e6;
}
