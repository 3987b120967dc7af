// Opens the example dashboard in a page, for a local desktop with one running computer.
import { Orgo } from "orgo-sdk";
import { startChromium } from "./chromium.mjs";
import { startDashboard } from "./dashboard.mjs";
import { startDesktop } from "./desktop.mjs";
import { startGate } from "./gate.mjs";
import { until } from "./wait.mjs";

/**
 * Opens the dashboard. Its connections to the desktop go through `gate`, which tests can close.
 *
 * @param {import("playwright-core").BrowserContextOptions} [options] the options of the browser context
 * @param {"live" | "api"} [mode] how the page shows the screen
 */
export async function openDashboard(options = { viewport: { width: 1400, height: 1000 } }, mode = "live") {
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
    await selectMode(page, mode);
    await page.locator("#screen-overlay").waitFor({ state: "hidden" });
    return { desktop, gate, dashboard, browser, context, page, orgo, computer, failures, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Selects how the page shows the screen. The page remembers it. */
export function selectMode(page, mode) {
  return page.locator(`#screen-mode input[value=${mode}]`).check();
}

/** The element that shows the screen, in both modes. */
export const shownCanvas = (page) => page.locator("#screen-canvas:visible, .live-view[data-shown] canvas:visible");

/** Returns the color at a point of the computer's screen as the page shows it. The canvas may show a scaled image. */
export function shownColor(page, { x, y }) {
  return shownCanvas(page).evaluate(
    (canvas, { x, y }) => {
      // A worker may own the context of the canvas.
      const copy = new OffscreenCanvas(1, 1).getContext("2d");
      const scale = canvas.width / 1280;
      copy.drawImage(canvas, Math.floor(x * scale), Math.floor(y * scale), 1, 1, 0, 0, 1, 1);
      return [...copy.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
    },
    { x, y },
  );
}

/** Waits until the page shows a color at a point of the screen. Allows a tolerance because scaled screenshots are JPEGs. */
export function untilColor(page, description, point, color) {
  const isNear = (found) => found.every((part, index) => Math.abs(part - color[index]) <= 8);
  return until(`${description} to be rgb(${color})`, async () => isNear(await shownColor(page, point)));
}

/** Converts a pixel of the computer's screen to page coordinates. */
export async function onPage(page, { x, y }) {
  const box = await shownCanvas(page).boundingBox();
  const scale = Math.min(box.width / 1280, box.height / 720);
  const along = (start, length, pixels, at) => start + (length - pixels * scale) / 2 + (at + 0.5) * scale;
  return [along(box.x, box.width, 1280, x), along(box.y, box.height, 720, y)];
}
