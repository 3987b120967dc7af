// The example dashboard in a page, as a user works it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Orgo } from "orgo-sdk";
import { playTone } from "../scenarios/sound.mjs";
import { CLICKED, FRESH, startTarget } from "../scenarios/target.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startDashboard } from "../support/dashboard.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 30_000 };
const complaints = [];
let browser, computer, dashboard, desktop, orgo, page;

before(async () => {
  desktop = await startDesktop();
  dashboard = await startDashboard(desktop.options);
  orgo = new Orgo(desktop.options);
  browser = await startChromium();
  page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.stack));
  await page.goto(dashboard.url);
});

after(async () => {
  await browser?.close();
  await dashboard?.close();
  await desktop?.stop();
});

/** The pixels of the canvas, looked up in the page: the colour at a point of the computer's screen. */
function pixel({ x, y }) {
  return page.locator("#screen-canvas").evaluate(
    (canvas, at) => [...canvas.getContext("2d").getImageData(at.x, at.y, 1, 1).data.subarray(0, 3)],
    { x, y },
  );
}

/** Where a point of the computer's screen is in the page. */
async function onPage({ x, y }) {
  const box = await page.locator("#screen-canvas").boundingBox();
  const scale = Math.min(box.width / 1280, box.height / 720);
  const along = (start, length, pixels, at) => start + (length - pixels * scale) / 2 + (at + 0.5) * scale;
  return [along(box.x, box.width, 1280, x), along(box.y, box.height, 720, y)];
}

/** Waits until the canvas has a colour at a point. */
function untilColour(what, point, colour) {
  return until(`${what} to be rgb(${colour})`, async () => String(await pixel(point)) === String(colour));
}

describe("the dashboard", () => {
  test("it shows the screen of a first computer", LIMIT, async () => {
    const [workspace] = await until("a computer", async () => {
      const workspaces = await orgo.workspaces.list();
      return workspaces.some(({ desktops }) => desktops?.length > 0) && workspaces;
    });
    computer = await orgo.computers.get(workspace.desktops[0].id);
    await computer.waitUntilRunning();
    await until("a picture with many colours", async () => {
      const points = Array.from({ length: 64 }, (_, at) => ({ x: at * 20, y: at * 11 }));
      return new Set((await Promise.all(points.map(pixel))).map(String)).size > 8;
    });
  });

  test("a click and keys on it reach the computer", LIMIT, async () => {
    const target = await startTarget(computer);
    await untilColour("the window", target.sight, FRESH);
    await page.mouse.click(...(await onPage(target.place)));
    await untilColour("the window after a click", target.sight, CLICKED);
    await page.keyboard.type("Hello, Orgo: {[()]} 42");
    await page.keyboard.press("Enter");
    assert.deepEqual(await target.read("text"), ["Hello, Orgo: {[()]} 42"]);
  });

  test("its terminal is a shell", LIMIT, async () => {
    await page.locator("#terminal-view").click();
    await page.keyboard.type("echo $((6*7))\n");
    await page.locator(".xterm-rows > div").filter({ hasText: /^42\s*$/ }).waitFor();
  });

  test("it lists events", LIMIT, async () => {
    await computer.bash("printf 'copied for the list' | xclip -selection clipboard > /dev/null 2>&1");
    await page.locator("#events-list").getByText("copied for the list").waitFor();
  });

  test("its meter moves with the sound", LIMIT, async () => {
    await page.locator("#sound-play").click();
    await page.locator("#sound-state", { hasText: "Playing" }).waitFor();
    await playTone(computer, 3);
    const meter = page.locator("#sound-meter");
    await until("the meter to move", async () => Number(await meter.getAttribute("aria-valuenow")) > -20);
  });

  test("it creates and deletes a computer", LIMIT, async () => {
    await page.locator("#create-open").click();
    const create = page.locator("#create-form");
    await create.locator("[name=name]").fill("second");
    await create.locator("[type=submit]").click();
    await page.locator("#machine-name", { hasText: "second" }).waitFor();
    await page.locator("#machine-status", { hasText: "Running" }).waitFor();

    await page.locator("#machine-delete").click();
    const confirm = page.locator("#delete-form");
    await confirm.locator("[name=name]").fill("second");
    await confirm.locator("[type=submit]").click();
    await page.locator("#computers-list").getByText("second").waitFor({ state: "detached" });
    const names = (await orgo.workspaces.list()).flatMap(({ desktops }) => desktops.map(({ name }) => name));
    assert.deepEqual(names, [computer.info.name]);
  });

  test("nothing was against the page's policy, and no error got away", () => assert.deepEqual(complaints, []));
});
