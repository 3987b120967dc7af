// Starts the installed Chromium in headless mode.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** Returns the path of the browser's program. */
export function executable() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = process.env.ORGO_CHROMIUM ?? places.find(existsSync);
  if (found === undefined) throw new Error(`none of ${NAMES.join(", ")} is in PATH; set ORGO_CHROMIUM to the path of Chromium`);
  return found;
}

/** Flags for tests. With them, pages may play audio without a click, and the browser sends no background requests. */
export const FLAGS = [
  // Chromium refuses to run as root with its sandbox.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

/** Starts a browser with a new profile and additional flags. */
export function startChromium(flags = []) {
  return chromium.launch({ executablePath: executable(), args: [...FLAGS, ...flags] });
}

/** Starts a browser with a new profile and a graphics process that draws canvases, for which the flags select the renderer. */
export function startAccelerated(flags) {
  return chromium.launch({ executablePath: executable(), args: [...FLAGS.filter((flag) => flag !== "--disable-gpu"), ...flags] });
}

/** Starts a browser with an extension and a new profile. Returns its context, which closes the browser. */
export async function startWithExtension(profile, folder) {
  const flags = ["--headless=new", `--disable-extensions-except=${folder}`, `--load-extension=${folder}`];
  // The headless mode of Playwright has no extensions.
  const options = { executablePath: executable(), headless: false, args: [...FLAGS, ...flags] };
  const context = await chromium.launchPersistentContext(profile, options);
  try {
    // Before this event, the pages of the extension do not exist.
    if (context.serviceWorkers().length === 0) await context.waitForEvent("serviceworker");
    return context;
  } catch (error) {
    await context.close();
    throw error;
  }
}
