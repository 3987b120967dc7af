// The Chromium of the system, without a window.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** Where the browser is. */
export function executable() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = process.env.ORGO_CHROMIUM ?? places.find(existsSync);
  if (found === undefined) throw new Error(`none of ${NAMES.join(", ")} is in PATH; ORGO_CHROMIUM names another place`);
  return found;
}

/** Its pages may sound without a click, and it talks to nobody by itself. */
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

/** Starts a browser with a fresh profile, and with more flags where a test needs them. */
export function startChromium(flags = []) {
  return chromium.launch({ executablePath: executable(), args: [...FLAGS, ...flags] });
}
