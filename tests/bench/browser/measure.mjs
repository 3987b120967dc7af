// Runs one variant of one workload in a new Chromium, and measures the CPU time of the page.
import { startBrowser } from "../../support/cdp.mjs";
import { servePage } from "../../support/page.mjs";
import { until } from "../../support/wait.mjs";
import { cpuTime } from "../cpu.mjs";
import { startPeer } from "../node/peer.mjs";

/** Builds the page, and starts its server and the server of the benchmark. */
export async function startBench() {
  const pages = await servePage(new URL("page", import.meta.url), {
    build: { minify: true, target: "es2022" },
    // xterm.js sets its colors and cell sizes in style elements.
    serve: { styles: "'self' 'unsafe-inline'" },
  });
  const peer = await startPeer();
  return {
    measure: (workload, variant, options) => measure(pages, peer, workload, variant, options),
    async stop() {
      peer.stop();
      await pages.close();
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
    const cpu = async () => ({ main: (await page.busy()) * 1000, cpu: cpuTime(await browser.processes("renderer")) });
    const before = await cpu();
    const work = () => page.evaluate("work()");
    const { result, recorded } = profile ? await page.profile(work) : { result: await work() };
    const after = await cpu();
    return { ...result, main: after.main - before.main, cpu: after.cpu - before.cpu, profile: recorded };
  } finally {
    await browser.close();
  }
}
