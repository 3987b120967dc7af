// Tests that another client of the protocol, noVNC without changes, shows and controls the live screen of a local desktop.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Wire } from "../conformance/wire.mjs";
import { TestComputer } from "../desktop/computer.mjs";
import { PointerWindow } from "../desktop/pointer-window.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { servePage } from "../support/page.mjs";
import { until } from "../support/wait.mjs";

const NOTHING = "0 []";

describe("noVNC", { concurrency: false }, () => {
  let pages, desktop, wire, computer, browser, page;
  before(async () => {
    pages = await servePage(new URL("novnc-page/", import.meta.url));
    desktop = await startDesktop({ allowOrigins: [pages.origin] });
    wire = new Wire(desktop.options);
    const workspace = (await wire.call("POST", "/workspaces", { name: "noVNC" })).body.id;
    computer = await TestComputer.start(wire, workspace, "noVNC");
    browser = await startChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    await page.goto(pages.origin);
  });
  after(async () => {
    await browser?.close();
    await desktop?.stop();
    await pages?.close();
  });

  /** Returns the URL of the screen, and the password. */
  async function address(token) {
    const { id, instance_id } = await computer.show();
    const { password } = (await wire.call("GET", `/computers/${id}/vnc-password`)).body;
    const url = desktop.options.realtimeUrl.replace("{instance_id}", instance_id).replace("{channel}", "websockify");
    return [`${url}?token=${encodeURIComponent(token ?? password)}`, password];
  }

  const connect = (url, password) => page.evaluate(([url, password]) => globalThis.connect(url, password), [url, password]);

  test("it shows the screen, and passes the pointer and the keys", { timeout: 120_000 }, async () => {
    const window = await PointerWindow.open(computer);
    assert.equal(await connect(...(await address())), "connect");
    await page.mouse.click(300, 200);
    const clicks = await window.seen((seen) => seen.some(({ kind }) => kind === "up"));
    assert.deepEqual(
      clicks.filter(({ kind }) => kind !== "key").map(({ kind, button, x, y }) => `${kind} ${button} ${x} ${y}`),
      ["down left 300 200", "up left 300 200"],
    );
    await page.keyboard.type("aB1");
    const keys = await window.seen((seen) => seen.filter(({ kind, text }) => kind === "key" && text !== "").length >= 3);
    assert.deepEqual(
      keys.map(({ text }) => text).filter((text) => text !== ""),
      ["a", "B", "1"],
    );
    await page.mouse.wheel(0, 100);
    await window.seen((seen) => seen.some(({ kind, steps }) => kind === "wheel" && steps < 0));
    // The pointer is in the screenshot, but not in the canvas.
    const pointer = { x: 270, y: 170, width: 60, height: 60 };
    await until("the same pixels as in a screenshot", async () => {
      const png = (await computer.screenshot()).toString("base64");
      return (await page.evaluate(([png, pointer]) => globalThis.differences(png, pointer), [png, pointer])) === 0;
    });
  });

  test("what it holds is released when the page goes away, during actions of the API", { timeout: 120_000 }, async () => {
    const window = await PointerWindow.open(computer);
    await page.mouse.move(500, 400);
    await page.mouse.down();
    await page.keyboard.down("Shift");
    await until("the key and the button", async () => (await window.held()) !== NOTHING);
    await computer.call("key", { key: "ctrl+a" });
    await page.reload();
    await until("nothing is held", async () => (await window.held()) === NOTHING);
  });

  test("a wrong password is refused in the security handshake", { timeout: 60_000 }, async () => {
    const [url] = await address();
    assert.equal(await connect(url, "wrong"), "The password is wrong");
    assert.equal(await connect(...(await address())), "connect");
  });

  test("a wrong token is refused", { timeout: 60_000 }, async () => {
    assert.equal(await connect(...(await address("wrong"))), "disconnect");
  });
});
