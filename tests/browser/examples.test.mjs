// Runs the browser examples with their own server.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { CLICKED, FRESH, startTarget } from "../scenarios/target.mjs";
import { startChromium } from "../support/chromium.mjs";
import { createComputer } from "../support/computer.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { decodePng } from "../support/png.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 60_000 };
const ROOT = fileURLToPath(new URL("../../examples/browser/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "orgo-examples-"));
const failures = [];
let browser, computer, desktop, origin, page, pages;

before(async () => {
  desktop = await startDesktop();
  ({ computer } = await createComputer(await import("orgo-sdk"), desktop.options));
  const { apiKey, baseUrl, realtimeUrl } = desktop.options;
  Object.assign(process.env, { ORGO_API_KEY: apiKey, ORGO_BASE_URL: baseUrl, ORGO_REALTIME_URL: realtimeUrl });
  const configFile = join(ROOT, "vite.config.mjs");
  pages = await createServer({ root: ROOT, configFile, cacheDir: folder, logLevel: "warn", server: { port: 0 } });
  await pages.listen();
  origin = pages.resolvedUrls.local[0];
  browser = await startChromium();
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => failures.push(error.stack));
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await desktop?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("examples for pages", () => {
  for (const name of ["Screen", "Terminal", "Events"]) {
    test(`the page "${name}" connects`, LIMIT, async () => {
      await page.goto(origin);
      await page.getByRole("link", { name, exact: true }).click();
      await page.locator("#state", { hasText: /^Connected$/ }).waitFor();
    });
  }

  test("the screen shows the computer and passes the input, unless it is for viewing only", LIMIT, async () => {
    const target = await startTarget(computer);
    await page.goto(new URL("screen.html", origin).href);
    await page.locator("#state", { hasText: /^Connected$/ }).waitFor();
    const canvas = page.locator("#screen canvas");
    const color = ({ x, y }) =>
      canvas.evaluate(
        (canvas, [x, y]) => {
          const copy = new OffscreenCanvas(1, 1).getContext("2d");
          copy.drawImage(canvas, x, y, 1, 1, 0, 0, 1, 1);
          return String(copy.getImageData(0, 0, 1, 1).data.subarray(0, 3));
        },
        [x, y],
      );
    const click = async ({ x, y }) => {
      const { width } = await canvas.boundingBox();
      await canvas.click({ position: { x: (x * width) / 1280, y: (y * width) / 1280 } });
    };
    await until("the window", async () => (await color(target.probe)) === String(FRESH));
    await page.locator("#view-only").check();
    await click(target.point);
    await page.locator("#view-only").uncheck();
    await click(target.point);
    await until("the window after a click", async () => (await color(target.probe)) === String(CLICKED));
    // Each click has two lines.
    assert.equal((await target.read("mouse", (lines) => lines.length >= 2)).length, 2);
    await page.keyboard.type("typed");
    await page.keyboard.press("Enter");
    assert.deepEqual(await target.read("text"), ["typed"]);

    await page.locator("#exact").check();
    await until("the original size", async () => (await canvas.boundingBox()).width === 1280);

    const saving = page.waitForEvent("download");
    await page.locator("#save").click();
    const { width, height } = decodePng(await readFile(await (await saving).path()));
    assert.deepEqual([width, height], [1280, 720]);
  });

  test("the clipboards are exchanged when the user asks for it", LIMIT, async () => {
    await page.evaluate("navigator.clipboard.writeText('from the page')");
    await page.locator("#paste").click();
    const pasted = async () => (await computer.bash("timeout 5 xclip -selection clipboard -out")).output;
    await until("the text on the computer", async () => (await pasted()) === "from the page");
    await computer.bash("printf 'from the computer' | xclip -selection clipboard > /dev/null 2>&1");
    await until("the text on the page", async () => {
      await page.locator("#copy").click();
      return (await page.evaluate("navigator.clipboard.readText()")) === "from the computer";
    });
  });

  test("there are no uncaught errors", () => assert.deepEqual(failures, []));
});
