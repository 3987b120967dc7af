// Tests streams in a page with the WebAssembly binding.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildPage } from "../support/build-page.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { freePort } from "../support/receiver.mjs";
import { streams } from "./streams.mjs";
import { startStreamsServer } from "./streams-server.mjs";

describe("streams in a page", () => {
  const folder = mkdtempSync(join(tmpdir(), "orgo-streams-"));
  const failures = [];
  let browser, page, pages, server, deadUrl;

  before(async () => {
    await buildPage(new URL("streams-page", import.meta.url), folder);
    pages = await startPages(() => folder);
    server = await startStreamsServer();
    deadUrl = `http://127.0.0.1:${await freePort()}`;
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

  for (const name of Object.keys(streams)) {
    test(name, { timeout: 120_000 }, () =>
      page.evaluate(([name, urls]) => globalThis.runTest(name, urls), [name, { server: server.url, deadUrl }]),
    );
  }
  test("there are no uncaught errors", () => assert.deepEqual(failures, []));
});
