// Tests the live screen in a page: the view in a worker, and in the page if workers are forbidden.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Wire } from "../conformance/wire.mjs";
import { TestComputer } from "../desktop/computer.mjs";
import { PointerWindow } from "../desktop/pointer-window.mjs";
import { buildPage } from "../support/build-page.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { startGate } from "../support/gate.mjs";
import { startPages } from "../support/pages.mjs";
import { until } from "../support/wait.mjs";

const NOTHING = "0 []";
/** How pages are served, and the number of workers that an open screen has. */
const MODES = {
  "in a worker": { serve: {}, workers: 1 },
  "in the page, because the policy forbids workers": { serve: { workers: "'none'" }, workers: 0 },
};

const folder = mkdtempSync(join(tmpdir(), "orgo-screen-"));
let browser, computer, desktop, gate, window, wire;
const pages = {};

before(async () => {
  await buildPage(new URL("screen-page/", import.meta.url), folder);
  for (const [mode, { serve }] of Object.entries(MODES)) pages[mode] = await startPages(() => folder, serve);
  desktop = await startDesktop({ allowOrigins: Object.values(pages).map(({ origin }) => origin) });
  gate = await startGate(desktop.options.baseUrl);
  wire = new Wire(desktop.options);
  const workspace = (await wire.call("POST", "/workspaces", { name: "screen" })).body.id;
  computer = await TestComputer.start(wire, workspace, "screen");
  window = await PointerWindow.open(computer);
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await gate?.close();
  await desktop?.stop();
  for (const { close } of Object.values(pages)) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** Returns a connection to the computer, through the gate. */
async function connection() {
  const { id, instance_id } = await computer.show();
  const { password } = (await wire.call("GET", `/computers/${id}/vnc-password`)).body;
  const realtime_url = gate.through(desktop.options.realtimeUrl);
  return { version: 1, computer_id: id, instance_id, password, realtime_url };
}

for (const [mode, { workers }] of Object.entries(MODES)) {
  describe(`a live screen ${mode}`, { concurrency: false }, () => {
    const failures = [];
    let page;
    before(async () => {
      page = await browser.newPage({ viewport: { width: 800, height: 600 } });
      page.on("pageerror", (error) => failures.push(error.stack));
      await page.goto(pages[mode].origin);
    });
    after(() => page?.close());

    /** Returns the number of shown pixels that differ from a screenshot, apart from the pointer. */
    const differences = async (pointer) => {
      const png = (await computer.screenshot()).toString("base64");
      return page.evaluate(([png, pointer]) => globalThis.differences(png, pointer), [png, pointer]);
    };
    const texts = async (count) =>
      (await window.seen((seen) => seen.filter(({ kind, text }) => kind === "key" && text !== "").length >= count))
        .map(({ text }) => text)
        .filter((text) => text !== undefined && text !== "");

    test("it shows the pixels of the computer", { timeout: 120_000 }, async () => {
      await page.evaluate((connection) => globalThis.open(connection), await connection());
      await page.evaluate(() => globalThis.attach());
      assert.equal(page.workers().length, workers);
      // The first move hides the pointer that the server draws into the screen.
      await page.mouse.move(300, 200);
      const pointer = { x: 570, y: 370, width: 60, height: 60 };
      await until("the same pixels as in a screenshot", async () => (await differences(pointer)) === 0);
    });

    test("the mouse is passed, in the pixels of the computer", { timeout: 120_000 }, async () => {
      await page.mouse.click(150, 100);
      await page.mouse.click(150, 100, { button: "right" });
      await page.mouse.click(150, 100, { button: "middle" });
      await page.mouse.move(50, 50);
      await page.mouse.down();
      await page.mouse.move(60, 70);
      await page.mouse.up();
      const seen = await window.seen((seen) => seen.filter(({ kind }) => kind === "up").length >= 4);
      assert.deepEqual(
        seen.filter(({ kind }) => kind !== "key").map(({ kind, button = "", x, y }) => `${kind} ${button} ${x} ${y}`),
        [
          "down left 300 200",
          "up left 300 200",
          "down right 300 200",
          "up right 300 200",
          "down middle 300 200",
          "up middle 300 200",
          "down left 100 100",
          "drag  120 140",
          "up left 120 140",
        ],
      );
    });

    test("the wheel turns both ways", { timeout: 120_000 }, async () => {
      for (const [dx, dy] of [
        [0, 200],
        [0, -100],
        [100, 0],
        [-100, 0],
      ]) {
        await page.mouse.wheel(dx, dy);
      }
      const seen = await window.seen((seen) => seen.filter(({ kind }) => kind === "wheel").length >= 5);
      assert.deepEqual(
        seen.filter(({ kind }) => kind === "wheel").map(({ steps, sideways }) => [sideways, steps]),
        [
          [0, -1],
          [0, -1],
          [0, 1],
          [-1, 0],
          [1, 0],
        ],
      );
    });

    test("keys arrive with the characters of the user's layout", { timeout: 120_000 }, async () => {
      await page.evaluate(() => globalThis.screenView.focus());
      await page.keyboard.type("aB1!");
      await page.keyboard.press("Enter");
      assert.deepEqual(await texts(5), ["a", "B", "1", "!", "\r"]);
    });

    test("what the view holds is released when the focus leaves", { timeout: 120_000 }, async () => {
      await page.mouse.move(100, 100);
      await page.mouse.down();
      await page.keyboard.down("Shift");
      await page.keyboard.down("x");
      await until("the keys and the button", async () => /^257 \[\d+, \d+\]$/.test(await window.held()));
      await page.evaluate(() => document.querySelector("#after").focus());
      await until("nothing but the button is held", async () => (await window.held()) === "256 []");
      await page.keyboard.up("x");
      await page.keyboard.up("Shift");
      await page.mouse.up();
      await until("nothing is held", async () => (await window.held()) === NOTHING);
    });

    test("the screen reconnects after the server was unreachable", { timeout: 120_000 }, async () => {
      await gate.close();
      await until("the state", () => page.evaluate(() => globalThis.screenChannel.state.status === "reconnecting"));
      assert.equal(await page.evaluate(() => globalThis.screenChannel.move({ x: 1, y: 1 })), false);
      await gate.open();
      await until("the state", () => page.evaluate(() => globalThis.screenChannel.state.status === "open"), 60_000);
      await page.mouse.click(150, 100);
      await window.seen((seen) => seen.some(({ kind }) => kind === "up"));
    });

    test("after a detach, the view and the worker are gone", { timeout: 120_000 }, async () => {
      await page.evaluate(() => globalThis.screenView.detach());
      assert.equal(await page.evaluate(() => document.querySelector("#screen").childElementCount), 0);
      await page.evaluate(() => globalThis.screenChannel.close());
      await until("the worker to end", () => page.workers().length === 0);
    });

    test("there are no uncaught errors", () => assert.deepEqual(failures, []));
  });
}
