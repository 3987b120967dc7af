// The example dashboard in a page, on a local desktop with one running computer.
import { Orgo } from "orgo-sdk";
import { startChromium } from "./chromium.mjs";
import { startDashboard } from "./dashboard.mjs";
import { startDesktop } from "./desktop.mjs";
import { startGate } from "./gate.mjs";
import { until } from "./wait.mjs";

/**
 * Opens it. What is between the dashboard and the desktop can be closed.
 *
 * @param {import("playwright-core").BrowserContextOptions} [options] of the browser's profile
 */
export async function openDashboard(options = { viewport: { width: 1400, height: 1000 } }) {
  const opened = [];
  const close = async () => {
    for (const end of opened.reverse()) await end();
  };
  try {
    const desktop = await startDesktop();
    opened.push(() => desktop.stop());
    const gate = await startGate(new URL(desktop.options.baseUrl).origin);
    opened.push(() => gate.close().catch(() => {}));
    const { apiKey, baseUrl, realtimeUrl } = desktop.options;
    const dashboard = await startDashboard({
      apiKey,
      baseUrl: gate.through(baseUrl),
      realtimeUrl: gate.through(realtimeUrl),
    });
    opened.push(() => dashboard.close());
    const browser = await startChromium();
    opened.push(() => browser.close());
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const failures = [];
    page.on("pageerror", (error) => failures.push(error.stack));
    await page.goto(dashboard.url);
    const orgo = new Orgo(desktop.options);
    const id = await until("a computer", async () => (await orgo.workspaces.list())[0]?.desktops?.[0]?.id);
    const computer = await orgo.computers.get(id);
    await computer.waitUntilRunning();
    await page.locator("#screen-overlay").waitFor({ state: "hidden" });
    return { desktop, gate, dashboard, browser, context, page, orgo, computer, failures, close };
  } catch (error) {
    await close();
    throw error;
  }
}
