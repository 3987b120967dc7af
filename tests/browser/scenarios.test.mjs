// Runs the scenarios in a page with the WebAssembly binding.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { scenarios } from "../scenarios/index.mjs";
import { buildPage } from "../support/build-page.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startCounter } from "../support/counter.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { startPages } from "../support/pages.mjs";
import { freePort, startReceiver } from "../support/receiver.mjs";

const folder = mkdtempSync(join(tmpdir(), "orgo-page-"));
const failures = [];
let browser, counter, desktop, page, pages, receiver;

before(async () => {
  await buildPage(new URL("page", import.meta.url), folder);
  pages = await startPages(() => folder);
  counter = await startCounter();
  receiver = await startReceiver();
  const connections = { live: receiver.url, dead: `rtmp://127.0.0.1:${await freePort()}/live` };
  desktop = await startDesktop({ allowOrigins: [pages.origin], connections });
  browser = await startChromium();
  page = await browser.newPage();
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) failures.push(message.text());
  });
  page.on("pageerror", (error) => failures.push(error.stack));
  await page.goto(pages.origin);
});

after(async () => {
  await browser?.close();
  await counter?.close();
  await desktop?.stop();
  await receiver?.close();
  await pages?.close();
  rmSync(folder, { recursive: true });
});

describe("the wasm binding in a page", () => {
  test("the page uses the WebAssembly binding", async () => {
    const settings = { options: desktop.options, counter: counter.url };
    assert.equal(await page.evaluate((options) => globalThis.prepare(options), settings), "wasm");
  });
  for (const name of [...Object.keys(scenarios), "a tone of 440 Hz is played"]) {
    test(name, { timeout: 60_000 }, () => page.evaluate((scenario) => globalThis.run(scenario), name));
  }
  test("there are no policy violations and no uncaught errors", () => assert.deepEqual(failures, []));
});
