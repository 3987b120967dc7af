// Tests limits in a page with the WebAssembly binding.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildPage } from "../support/build-page.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { limits } from "./limits.mjs";
import { COUNT, printLateness } from "./limits-run.mjs";
import { startLimitsServer } from "./limits-server.mjs";

describe("limits in a page", () => {
  const folder = mkdtempSync(join(tmpdir(), "orgo-limits-"));
  const failures = [];
  let browser, page, pages, server;
  const urls = () => ({ server: server.url, deadUrl: server.deadUrl });

  before(async () => {
    await buildPage(new URL("limits-page", import.meta.url), folder);
    pages = await startPages(() => folder);
    server = await startLimitsServer();
    browser = await startChromium();
    page = await browser.newPage();
    page.on("pageerror", (error) => failures.push(error.stack));
    await page.goto(pages.origin);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    await pages?.close();
    rmSync(folder, { recursive: true });
  });

  for (const name of Object.keys(limits)) {
    test(name, { timeout: 60_000 }, () => page.evaluate(([name, urls]) => globalThis.runTest(name, urls), [name, urls()]));
  }
  test("operations do not end too early", { timeout: 300_000 }, async () => {
    const late = await page.evaluate(([urls, count]) => globalThis.lateness(urls, count), [urls(), COUNT]);
    printLateness("Chromium", late);
  });
  test("there are no uncaught errors", () => assert.deepEqual(failures, []));
});
