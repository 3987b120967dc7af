// Builds, serves and opens the page of a test.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPage } from "./build-page.mjs";
import { startChromium } from "./chromium.mjs";
import { startPages } from "./pages.mjs";

/**
 * Builds a page in a temporary folder, and serves it.
 *
 * @param {URL} source the folder of the page
 * @param {object} [options]
 * @param {import("vite").BuildOptions} [options.build]
 * @param {Parameters<typeof startPages>[1]} [options.serve]
 * @returns {Promise<{ origin: string, close(): Promise<void> }>}
 */
export async function servePage(source, { build, serve } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "orgo-page-"));
  await buildPage(source, folder, build);
  const { origin, close } = await startPages(() => folder, serve);
  return {
    origin,
    async close() {
      await close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Builds and serves a page, and opens it in a new Chromium. `failures` are the errors that the page has not caught. */
export async function openPage(source, options) {
  const { origin, close } = await servePage(source, options);
  const browser = await startChromium();
  const page = await browser.newPage();
  const failures = [];
  page.on("pageerror", (error) => failures.push(error.stack));
  await page.goto(origin);
  return {
    page,
    failures,
    async close() {
      await browser.close();
      await close();
    },
  };
}
