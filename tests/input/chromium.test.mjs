// Tests terminal input in a page with the WebAssembly binding.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as sdk from "orgo-sdk";
import { buildPage } from "../support/build-page.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { testInput } from "./run.mjs";

testInput("the wasm binding in a page", async (startDesktop) => {
  const folder = mkdtempSync(join(tmpdir(), "orgo-input-"));
  await buildPage(new URL("page", import.meta.url), folder);
  const pages = await startPages(() => folder);
  const desktop = await startDesktop({ allowOrigins: [pages.origin] });
  const browser = await startChromium();
  const page = await browser.newPage();
  await page.goto(pages.origin);
  return {
    sdk,
    desktop,
    run: (...args) => page.evaluate((args) => globalThis.run(...args), args),
    close: async () => {
      await browser.close();
      await pages.close();
      rmSync(folder, { recursive: true });
    },
  };
});
