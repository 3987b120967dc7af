// Looks for secrets in everything that a page can print.
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
  const said = [];
  let browser, page, pages, server;
  before(async () => {
    await buildPage(new URL("page", import.meta.url), folder);
    pages = await startPages(() => folder);
    server = await startEchoServer();
    browser = await startChromium();
    page = await browser.newPage();
    // What the browser itself reports of a request or a socket names its URL, and no page can keep it from that.
    const own = (message) => /^(Failed to load resource|WebSocket connection to|Access to fetch)/.test(message.text());
    page.on("console", (message) => own(message) || said.push({ what: "the console", value: message.text() }));
    page.on("pageerror", (error) => said.push({ what: "an uncaught error", value: error.stack }));
    await page.goto(pages.origin);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    await pages?.close();
    rmSync(folder, { recursive: true });
  });

  test("what a page can print has no secret in it", { timeout: 120_000 }, async () => {
    const places = { server: server.url, nowhere: server.nowhere };
    const shown = await page.evaluate((given) => globalThis.provoke(given), places);
    const kinds = new Set(shown.map(({ kind }) => kind).filter((kind) => KINDS.includes(kind)));
    assert.deepEqual([...kinds].sort(), KINDS);
    assertClean(
      shown.map(({ what, texts }) => ({ what, value: texts })),
      (texts) => texts,
    );
    assertClean(said, (text) => [text]);
    for (const target of server.targets) {
      assert.ok(target.includes(`token=${encodeURIComponent(SECRETS.password)}`), target);
    }
  });
});
