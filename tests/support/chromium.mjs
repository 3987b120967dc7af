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
