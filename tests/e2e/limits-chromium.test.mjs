// Tests limits in a page with the WebAssembly binding.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openPage } from "../support/page.mjs";
import { limits } from "./limits.mjs";
import { COUNT, printLateness } from "./limits-run.mjs";
import { startLimitsServer } from "./limits-server.mjs";

describe("limits in a page", () => {
  let opened, page, server;
  const urls = () => ({ server: server.url, deadUrl: server.deadUrl });

  before(async () => {
    server = await startLimitsServer();
    opened = await openPage(new URL("limits-page", import.meta.url));
    page = opened.page;
  });
  after(async () => {
    await opened?.close();
    await server?.close();
  });

  for (const name of Object.keys(limits)) {
    test(name, { timeout: 60_000 }, () => page.evaluate(([name, urls]) => globalThis.runTest(name, urls), [name, urls()]));
  }
  test("operations do not end too early", { timeout: 300_000 }, async () => {
    const late = await page.evaluate(([urls, count]) => globalThis.lateness(urls, count), [urls(), COUNT]);
    printLateness("Chromium", late);
  });
  test("there are no uncaught errors", () => assert.deepEqual(opened.failures, []));
});
