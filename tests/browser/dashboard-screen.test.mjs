// Tests the dashboard's live screen, and the change between it and the API mode.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLICKED, FRESH, startTarget } from "../scenarios/target.mjs";
import { onPage, openDashboard, selectMode, shownCanvas, untilColor } from "../support/dashboard-page.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 60_000 };
const CHANNEL = /websockify/;
/** The calls that the page makes for the screen. */
const calls = [];
let env, page;

before(async () => {
  env = await openDashboard({ viewport: { width: 1400, height: 1000 }, permissions: ["clipboard-read", "clipboard-write"] });
  ({ page } = env);
  page.on("request", (request) => {
    const [, call] = /\/api\/computers\/[^/]+\/(screenshot|click|drag|scroll|type|key)/.exec(request.url()) ?? [];
    if (call !== undefined) calls.push(call);
  });
});

after(() => env?.close());

const overlay = () => page.locator("#screen-overlay");
const hint = (text) => page.locator("#screen-hint", { hasText: text }).waitFor();
const isLive = () => page.locator("#screen-mode input[value=live]").isChecked();
/** Returns the number of live screens that the page runs. */
const screens = () => page.workers().filter((worker) => worker.url().includes("screen")).length;
const click = async (point, options) => page.mouse.click(...(await onPage(page, point)), options);
const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.tagName);
const leave = async () => {
  for (const key of ["Control", "Alt", "Shift"]) await page.keyboard.down(key);
  for (const key of ["Control", "Alt", "Shift"]) await page.keyboard.up(key);
};

describe("the live screen of the dashboard", () => {
  test("is the default, and needs no calls", LIMIT, async () => {
    const target = await startTarget(env.computer);
    assert.ok(await isLive());
    await untilColor(page, "the window", target.probe, FRESH);
    await click(target.point);
    await untilColor(page, "the window after a click", target.probe, CLICKED);
    await hint(/Your keys go to the computer\. Ctrl\+Alt\+Shift stops\./);
    await page.keyboard.type("Hello, Orgo: {[()]} 42");
    await page.keyboard.press("Enter");
    assert.deepEqual(await target.read("text"), ["Hello, Orgo: {[()]} 42"]);
    await click(target.point, { button: "middle" });
    await target.read("mouse", (lines) => lines.some((line) => line.startsWith("1 down")));
    assert.deepEqual(calls, []);
    assert.equal(screens(), 1);
  });

  test("shows the frames and the bytes of a second", LIMIT, async () => {
    const { point } = await startTarget(env.computer);
    const values = () => page.locator(".screen .tabular span").allInnerTexts();
    let at = 0;
    await until("other values than zero", async () => {
      at += 1;
      await page.mouse.move(...(await onPage(page, point)));
      await env.computer.bash(`xsetroot -solid '#${(at % 10).toString().repeat(6)}'`);
      const [rate, bytes] = await values();
      return /^[1-9]\d* fps$/.test(rate) && /^[1-9][\d.]* k?B\/s$/.test(bytes);
    });
  });

  test("the keyboard reaches it with Enter and leaves it with a combination of keys", LIMIT, async () => {
    const { read } = await startTarget(env.computer);
    await page.locator("#screen-stage").press("Enter");
    assert.equal(await focused(), "TEXTAREA");
    assert.equal(await page.locator("#screen-keyboard").getAttribute("aria-pressed"), "true");
    await page.keyboard.type("Esc twice");
    for (const key of ["Escape", "Escape", "Enter"]) await page.keyboard.press(key);
    assert.match((await read("text")).join(), /^Esc twice/);
    await leave();
    await hint(/press Enter to type/);
    assert.equal(await page.locator("#screen-keyboard").getAttribute("aria-pressed"), "false");
    await page.keyboard.press("Tab");
    assert.notEqual(await focused(), "TEXTAREA");
    await page.locator("#screen-keyboard").click();
    assert.equal(await focused(), "TEXTAREA");
    await page.locator("#screen-keyboard").click();
    assert.equal(await focused(), "screen-stage");
  });

  test("the menu of keys presses keys", LIMIT, async () => {
    const target = await startTarget(env.computer);
    await click(target.point);
    await page.keyboard.type("from the menu");
    await page.locator("#screen-menu summary").click();
    await page.locator("#screen-menu-items").getByRole("button", { name: "Enter" }).click();
    assert.deepEqual(await target.read("text"), ["from the menu"]);
    await page.keyboard.press("Escape");
  });

  test("view only sends no input until the user takes over", LIMIT, async () => {
    const target = await startTarget(env.computer);
    await untilColor(page, "the window", target.probe, FRESH);
    let clicks = 0;
    /** Clicks, and waits until the target has reported all clicks so far. Each click has two lines. */
    const clickAndRead = async () => {
      await click(target.point);
      clicks += 1;
      return target.read("mouse", (lines) => lines.length >= 2 * clicks);
    };
    for (const mode of ["live", "api"]) {
      await selectMode(page, mode);
      await overlay().waitFor({ state: "hidden" });
      await clickAndRead();
      await page.getByRole("button", { name: "View only" }).click();
      await hint("View only. Your input is not sent.");
      await click(target.point);
      await page.keyboard.type("ignored");
      assert.ok(await page.locator("#screen-keyboard").isDisabled());
      assert.ok(await page.locator("#screen-clipboard-send").isDisabled());
      await page.getByRole("button", { name: "Take over" }).click();
      await clickAndRead();
      await page.keyboard.type(mode);
      await page.keyboard.press("Enter");
      const lines = await target.read("text", (lines) => lines.at(-1)?.endsWith(mode));
      assert.equal(lines.at(-1), mode);
      assert.equal((await target.read("mouse")).length, 2 * clicks);
    }
    await selectMode(page, "live");
    await overlay().waitFor({ state: "hidden" });
  });

  test("in the API mode, everything is a call", LIMIT, async () => {
    const target = await startTarget(env.computer);
    await selectMode(page, "api");
    await untilColor(page, "the window", target.probe, FRESH);
    await until("the end of the live screen", () => screens() === 0);
    await click(target.point);
    await untilColor(page, "the window after a click", target.probe, CLICKED);
    await page.keyboard.type("typed");
    await page.keyboard.press("Enter");
    assert.deepEqual(await target.read("text"), ["typed"]);
    for (const call of ["screenshot", "click", "type", "key"]) assert.ok(calls.includes(call), `${call} in ${calls}`);
    assert.equal(await page.locator("#screen-clipboard").getAttribute("inert"), "");

    await page.reload();
    await untilColor(page, "the window after a reload", target.probe, CLICKED);
    assert.ok(!(await isLive()), "the page must remember the mode");
    await selectMode(page, "live");
    await untilColor(page, "the live window", target.probe, CLICKED);
    await until("the end of the last screenshot", async () => {
      const before = calls.length;
      await page.waitForTimeout(300);
      return calls.length === before;
    });
    calls.length = 0;
    const other = await startTarget(env.computer);
    await untilColor(page, "the live window", other.probe, FRESH);
    assert.deepEqual(calls, []);
  });

  test("1:1 shows each pixel of the screen as a pixel of the display", LIMIT, async () => {
    const target = await startTarget(env.computer);
    for (const mode of ["live", "api"]) {
      await selectMode(page, mode);
      await overlay().waitFor({ state: "hidden" });
      await page.locator("#screen-exact").click();
      await until("the size", async () => {
        const { width, height } = await shownCanvas(page).boundingBox();
        return width === 1280 && height === 720;
      });
      const before = (await target.read("mouse", () => true)).length;
      await click(target.point);
      const lines = (await target.read("mouse", (lines) => lines.length >= before + 2)).slice(before);
      const [, , column, row] = lines[0].split(" ").map(Number);
      // The window has 60 columns and 16 rows from 200, 150.
      assert.ok(column > 20 && column < 30 && row > 5 && row < 12, lines[0]);
      await page.locator("#screen-exact").click();
      await until("the size of the panel", async () => (await shownCanvas(page).boundingBox()).width < 1200);
    }
    await selectMode(page, "live");
    await overlay().waitFor({ state: "hidden" });
  });

  test("full screen passes the keys, and the combination of keys ends it", LIMIT, async () => {
    const target = await startTarget(env.computer);
    await page.locator("#screen-full").click();
    await until("full screen", () => page.evaluate(() => document.fullscreenElement?.id === "screen-stage"));
    await untilColor(page, "the window", target.probe, FRESH);
    await until("the focus", async () => (await focused()) === "TEXTAREA");
    await page.keyboard.type("full screen");
    await page.keyboard.press("Enter");
    assert.deepEqual(await target.read("text"), ["full screen"]);
    await leave();
    await until("the end of full screen", () => page.evaluate(() => document.fullscreenElement === null));
  });

  test("the clipboards are exchanged on request only", LIMIT, async () => {
    const read = () => page.evaluate("navigator.clipboard.readText()");
    const choose = async (name) => {
      await page.locator("#screen-clipboard summary").click();
      await page.locator("#screen-clipboard").getByRole("button", { name }).click();
    };
    await page.evaluate("navigator.clipboard.writeText('from the page \u{1f980}')");
    await env.computer.bash("printf 'from the computer é' | xclip -selection clipboard > /dev/null 2>&1");
    await page.locator("#events-list").getByText("from the computer é").waitFor();
    assert.equal(await read(), "from the page \u{1f980}");

    await choose("Copy from the computer");
    await hint("Copied the clipboard of the computer to yours.");
    assert.equal(await read(), "from the computer é");

    await page.evaluate("navigator.clipboard.writeText('from the page \u{1f980}')");
    await choose("Send to the computer");
    await hint("Sent your clipboard.");
    const pasted = async () => (await env.computer.bash("timeout 5 xclip -selection clipboard -out")).output;
    await until("the text on the computer", async () => (await pasted()) === "from the page \u{1f980}");

    await env.computer.bash("printf '' | xclip -selection clipboard > /dev/null 2>&1");
    await env.context.clearPermissions();
    await choose("Copy from the computer");
    // The browser may deny the access before the text is missing.
    await hint(/has no text|^Not copied/);
    await choose("Send to the computer");
    await hint("Not sent: the browser denied access to your clipboard.");
    await env.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  });

  test("a lost connection and its recovery are shown in words", LIMIT, async () => {
    const target = await startTarget(env.computer);
    await untilColor(page, "the window", target.probe, FRESH);
    await page.locator("#screen-overlay-text").evaluate((text) => {
      globalThis.shownTexts = [];
      const add = () => globalThis.shownTexts.push(text.textContent);
      new MutationObserver(add).observe(text, { childList: true, characterData: true, subtree: true });
    });
    env.gate.drop(CHANNEL);
    await hint("The connection to the screen was restored.");
    const texts = await page.evaluate("shownTexts");
    assert.ok(texts.includes("The connection to the screen was lost."), texts.join(" | "));
    await overlay().waitFor({ state: "hidden" });
    await click(target.point);
    await untilColor(page, "the window after a click", target.probe, CLICKED);
    await until("one screen", () => screens() === 1);
  });

  test("a computer without a live screen is shown in the API mode", LIMIT, async () => {
    const target = await startTarget(env.computer);
    env.gate.refuse(CHANNEL);
    await page.reload();
    const notice = page.locator("#notices .notice").filter({ hasText: "Could not open the live screen" });
    await notice.filter({ hasText: "The API mode is used instead." }).waitFor();
    assert.ok(!(await isLive()));
    await untilColor(page, "the window", target.probe, FRESH);
    await click(target.point);
    await untilColor(page, "the window after a click", target.probe, CLICKED);

    env.gate.refuse();
    await notice.getByRole("button", { name: "Retry now" }).click();
    await overlay().waitFor({ state: "hidden" });
    await until("the live screen", isLive);
    assert.equal(await notice.count(), 0);
    await until("one screen", () => screens() === 1);
  });

  test("a change of the computer leaves nothing open", LIMIT, async () => {
    const [{ id: workspace_id }] = await env.orgo.workspaces.list();
    const second = await env.orgo.computers.create({ workspace_id, name: "second", resolution: "1024x768x24" });
    await second.waitUntilRunning();
    for (let round = 0; round < 3; round += 1) {
      for (const [id, ratio] of [
        [second.id, "1024 / 768"],
        [env.computer.id, "1280 / 720"],
      ]) {
        await page.locator(`.computer[data-id="${id}"]`).click();
        await overlay().waitFor({ state: "hidden" });
        const shown = () => page.locator("#screen-stage").evaluate((stage) => stage.style.getPropertyValue("--screen-ratio"));
        await until("the size of the screen", async () => (await shown()) === ratio);
      }
    }
    await until("one screen", () => screens() === 1);
    assert.equal(await page.locator(".live-view").count(), 1);
    await page.locator("#computer-stop").click();
    await page.locator("#computer-status", { hasText: "Stopped" }).waitFor();
    await until("no screen", () => screens() === 0);
    await page.locator("#computer-start").click();
    await overlay().waitFor({ state: "hidden", timeout: 30_000 });
    assert.ok(await isLive());
  });

  test("on a phone, a tap clicks and does not open the keyboard", LIMIT, async () => {
    const target = await startTarget(env.computer);
    const context = await env.browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const phone = await context.newPage();
    phone.setDefaultTimeout(15_000);
    await phone.goto(env.dashboard.url);
    await phone.locator("#screen-overlay").waitFor({ state: "hidden" });
    await untilColor(phone, "the window", target.probe, FRESH);
    const field = phone.locator(".live-view textarea");
    const hasFocus = () => field.evaluate((field) => field === document.activeElement);
    await phone.touchscreen.tap(...(await onPage(phone, target.point)));
    await untilColor(phone, "the window after a tap", target.probe, CLICKED);
    assert.ok(!(await hasFocus()));
    await phone.locator("#screen-keyboard").tap();
    assert.ok(await hasFocus());
    await phone.keyboard.type("phone");
    await phone.keyboard.press("Enter");
    assert.deepEqual(await target.read("text"), ["phone"]);
    await context.close();
  });

  test("there are no uncaught errors", () => assert.deepEqual(env.failures, []));
});
