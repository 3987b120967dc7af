// Searches all values that a page can print for secrets.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildPage } from "../support/build-page.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { startEchoServer } from "./echo-server.mjs";
import { SECRETS } from "./forms.mjs";
import { assertClean } from "./run.mjs";

const KINDS = ["aborted", "closed", "computer", "decode", "encode", "server", "timeout", "transport"];

describe("secrets in a page", () => {
  const folder = mkdtempSync(join(tmpdir(), "orgo-secrets-"));
  const printed = [];
  let browser, page, pages, server;
  before(async () => {
    await buildPage(new URL("page", import.meta.url), folder);
    pages = await startPages(() => folder);
    server = await startEchoServer();
    browser = await startChromium();
    page = await browser.newPage();
    // Messages of the browser itself contain the URL of a request or a socket. A page cannot prevent this.
    const fromBrowser = (message) => /^(Failed to load resource|WebSocket connection to|Access to fetch)/.test(message.text());
    page.on("console", (message) => fromBrowser(message) || printed.push({ what: "the console", value: message.text() }));
    page.on("pageerror", (error) => printed.push({ what: "an uncaught error", value: error.stack }));
    await page.goto(pages.origin);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    await pages?.close();
    rmSync(folder, { recursive: true });
  });

  test("a page can print no secrets", { timeout: 120_000 }, async () => {
    const urls = { server: server.url, deadUrl: server.deadUrl };
    const values = await page.evaluate((urls) => globalThis.provoke(urls), urls);
    const kinds = new Set(values.map(({ kind }) => kind).filter((kind) => KINDS.includes(kind)));
    assert.deepEqual([...kinds].sort(), KINDS);
    assertClean(
      values.map(({ what, texts }) => ({ what, value: texts })),
      (texts) => texts,
    );
    assertClean(printed, (text) => [text]);
    for (const target of server.targets) {
      assert.ok(target.includes(`token=${encodeURIComponent(SECRETS.password)}`), target);
    }
  });
});
