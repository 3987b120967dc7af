// Tests the dashboard end to end.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Orgo } from "orgo-sdk";
import { playTone } from "../scenarios/audio.mjs";
import { CLICKED, FRESH, startTarget } from "../scenarios/target.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startDashboard } from "../support/dashboard.mjs";
import { onPage, shownColor, untilColor } from "../support/dashboard-page.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { until, within } from "../support/wait.mjs";

const LIMIT = { timeout: 30_000 };
const VIEWPORT = { width: 1400, height: 1000 };
const PANELS = ["terminal", "files", "audio", "events", "calls"];
const failures = [];
let browser, computer, context, dashboard, desktop, folder, orgo, page;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "downloads-"));
  desktop = await startDesktop();
  dashboard = await startDashboard(desktop.options);
  orgo = new Orgo(desktop.options);
  browser = await startChromium();
  context = await browser.newContext({ viewport: VIEWPORT });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) failures.push(message.text());
  });
  page.on("pageerror", (error) => failures.push(error.stack));
  await page.goto(dashboard.url);
});

after(async () => {
  await browser?.close();
  await dashboard?.close();
  await desktop?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** Saves downloads in the folder. Uses CDP because Playwright does not report downloads from a tab that closes immediately. */
async function downloads() {
  const browserSession = await browser.newBrowserCDPSession();
  const pageSession = await context.newCDPSession(page);
  const { browserContextId } = (await pageSession.send("Target.getTargetInfo")).targetInfo;
  const ended = new Promise((resolve) => {
    browserSession.on("Browser.downloadProgress", ({ state }) => state === "completed" && resolve());
  });
  const saving = { behavior: "allow", browserContextId, downloadPath: folder, eventsEnabled: true };
  await browserSession.send("Browser.setDownloadBehavior", saving);
  return { ended };
}

describe("the dashboard", () => {
  test("shows the screen of the first computer", LIMIT, async () => {
    const [workspace] = await until("a computer", async () => {
      const workspaces = await orgo.workspaces.list();
      return workspaces.some(({ desktops }) => desktops?.length > 0) && workspaces;
    });
    computer = await orgo.computers.get(workspace.desktops[0].id);
    await computer.waitUntilRunning();
    await page.locator("#screen-overlay").waitFor({ state: "hidden" });
    await until("an image with many colors", async () => {
      const points = Array.from({ length: 64 }, (_, at) => ({ x: at * 20, y: at * 11 }));
      return new Set((await Promise.all(points.map((point) => shownColor(page, point)))).map(String)).size > 8;
    });
  });

  test("clicks and keys on the screen reach the computer", LIMIT, async () => {
    const target = await startTarget(computer);
    await untilColor(page, "the window", target.probe, FRESH);
    await page.mouse.click(...(await onPage(page, target.point)));
    await untilColor(page, "the window after a click", target.probe, CLICKED);
    await page.keyboard.type("Hello, Orgo: {[()]} 42");
    await page.keyboard.press("Enter");
    assert.deepEqual(await target.read("text"), ["Hello, Orgo: {[()]} 42"]);
  });

  test("the terminal runs a shell", LIMIT, async () => {
    await page.locator("#terminal-view").click();
    await page.keyboard.type("echo $((6*7))\n");
    await page
      .locator(".xterm-rows > div")
      .filter({ hasText: /^42\s*$/ })
      .waitFor();
  });

  test("a long paste into the terminal arrives complete", LIMIT, async () => {
    const text = Array.from({ length: 60_000 }, (_, line) => `line ${line} äöü🦀\n`).join("");
    assert.ok(Buffer.byteLength(text) > 1_200_000);
    await page.keyboard.type(`stty raw -echo; echo rea''dy; head -c ${Buffer.byteLength(text)} > pasted; stty sane\n`);
    await page.locator(".xterm-rows > div").filter({ hasText: "ready" }).first().waitFor();
    await page.evaluate((text) => {
      const data = new DataTransfer();
      data.setData("text/plain", text);
      document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
    }, text);
    // A terminal sends Enter for each line break.
    const expected = createHash("sha256").update(text.replaceAll("\n", "\r")).digest("hex");
    await until("the text on the computer", async () =>
      (await computer.bash("sha256sum < ~/pasted")).output.startsWith(expected),
    );
    await page.keyboard.type("echo $((6*9))\n");
    await page
      .locator(".xterm-rows > div")
      .filter({ hasText: /^54\s*$/ })
      .waitFor();
  });

  test("lists events", LIMIT, async () => {
    await computer.bash("printf 'copied for the list' | xclip -selection clipboard > /dev/null 2>&1");
    await page.locator("#events-list").getByText("copied for the list").waitFor();
  });

  test("the meter shows the audio level", LIMIT, async () => {
    await page.locator("#audio-play").click();
    await page.locator("#audio-state", { hasText: "Playing" }).waitFor();
    await playTone(computer, 3);
    const meter = page.locator("#audio-meter");
    await until("the meter to move", async () => Number(await meter.getAttribute("aria-valuenow")) > -20);
  });

  test("uploads, downloads and deletes a file", LIMIT, async () => {
    const name = "a file – 1 & 2.bin";
    const content = randomBytes(1_500_000);
    await page.locator("#uploads-list").evaluate((list) => {
      globalThis.seen = [];
      const look = (changes) => globalThis.seen.push(...changes.map(({ target }) => target.value));
      new MutationObserver(look).observe(list, { subtree: true, attributeFilter: ["value"] });
    });
    await page.locator("#files-input").setInputFiles({ name, mimeType: "application/octet-stream", buffer: content });
    const row = page.locator("#files-list li").filter({ hasText: name });
    await row.getByText("1.5 MB").waitFor();
    assert.equal(await page.locator("#uploads-list li").count(), 0);
    const seen = await page.evaluate("seen");
    assert.equal(seen.at(-1), 1, "the bar must be full at the end");
    assert.ok(
      seen.some((value) => value > 0 && value <= 0.5),
      "the bar must show the transfer to the page's server",
    );
    assert.deepEqual(
      seen,
      seen.toSorted((one, other) => one - other),
    );
    const { output } = await computer.bash(`sha256sum < ~/Desktop/'${name}'`);
    assert.match(output, new RegExp(createHash("sha256").update(content).digest("hex")));

    const saved = await downloads();
    await row.getByRole("button", { name: `Download ${name}` }).click();
    await within("the download", saved.ended);
    assert.deepEqual(await readFile(join(folder, name)), content);

    await row.getByRole("button", { name: `Delete ${name}` }).click();
    await page.keyboard.press("Enter");
    await page.locator("#delete-file").waitFor({ state: "hidden" });
    assert.equal(await row.count(), 1, "Enter must not delete the file");
    await row.getByRole("button", { name: `Delete ${name}` }).click();
    await page.locator("#delete-file [type=submit]").click();
    await row.waitFor({ state: "detached" });
    assert.deepEqual(await computer.files.list(), []);
  });

  test("uploads files that are dropped on the screen and exports a file of the computer", LIMIT, async () => {
    const files = ["dropped.txt", "large.bin", "folder"].map((name) => join(folder, name));
    await writeFile(files[0], "dropped");
    await writeFile(files[1], Buffer.alloc(11_000_000));
    await mkdir(files[2]);
    const session = await context.newCDPSession(page);
    const [x, y] = await onPage(page, { x: 640, y: 360 });
    const drag = (type) =>
      session.send("Input.dispatchDragEvent", { type, x, y, data: { items: [], files, dragOperationsMask: 1 } });
    await drag("dragEnter");
    await drag("dragOver");
    await page.locator("#screen-stage[data-drop]").waitFor();
    await drag("drop");
    await page.locator("#screen-stage:not([data-drop])").waitFor();
    const list = page.locator("#files-list");
    await list.getByText("dropped.txt").waitFor();
    const rejected = page.locator("#uploads-list li");
    await rejected.filter({ hasText: "large.bin" }).getByText("the maximum is 10.5 MB").waitFor();
    await rejected.filter({ hasText: "folder" }).getByText("A folder cannot be uploaded").waitFor();
    assert.equal((await computer.bash("cat ~/Desktop/dropped.txt")).output, "dropped");

    await computer.bash("mkdir -p ~/results; printf made > ~/results/report.txt");
    await page.locator("#files-export").click();
    await page.locator("#export-form [name=path]").fill("results/missing.txt");
    await page.keyboard.press("Enter");
    await page.locator("#export-problem", { hasText: "not found" }).waitFor();
    await page.locator("#export-form [name=path]").fill("/etc/passwd");
    await page.keyboard.press("Enter");
    await page.locator("#export-problem:not([hidden])", { hasText: "must be in /home/user" }).waitFor();
    assert.doesNotMatch(await page.locator("#export-problem").innerText(), /key|plan/);
    await page.locator("#export-form [name=path]").fill("results/report.txt");
    await page.keyboard.press("Enter");
    await list.getByText("report.txt").waitFor();
    const names = (await computer.files.list()).map(({ filename }) => filename);
    assert.deepEqual(names, ["dropped.txt", "report.txt"]);
  });

  test("canceling an upload starts the next one", LIMIT, async () => {
    await page.route("**/files/held.txt", () => {});
    const text = (name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(name) });
    await page.locator("#files-input").setInputFiles([text("held.txt"), text("next.txt")]);
    await page.locator("#uploads-list li").filter({ hasText: "next.txt" }).getByText("Waiting").waitFor();
    await page.getByRole("button", { name: "Cancel the upload of held.txt" }).click();
    await page.locator("#files-list").getByText("next.txt").waitFor();
    assert.equal(await page.locator("#uploads-list").getByText("held.txt").count(), 0);
  });

  test("a failed upload can be retried with the keyboard, unless the file no longer exists", LIMIT, async () => {
    await page.route("**/files/retried.txt", (route) => route.abort(), { times: 1 });
    await page
      .locator("#files-input")
      .setInputFiles({ name: "retried.txt", mimeType: "text/plain", buffer: Buffer.from("retried") });
    const retry = page.getByRole("button", { name: "Retry the upload of retried.txt" });
    await retry.press("Enter");
    await page.locator("#files-list").getByText("retried.txt").waitFor();
    assert.equal(await page.locator("#uploads-list").getByText("retried.txt").count(), 0);
    assert.equal((await computer.bash("cat ~/Desktop/retried.txt")).output, "retried");
    assert.ok(await page.evaluate("document.activeElement !== document.body"), "the focus is lost");

    const gone = join(folder, "gone.txt");
    await writeFile(gone, "gone");
    await page.route("**/files/gone.txt", (route) => rm(gone).then(() => route.abort()));
    await page.locator("#files-input").setInputFiles(gone);
    const row = page.locator("#uploads-list li").filter({ hasText: "gone.txt" });
    await row.getByText("Select it again").waitFor();
    assert.equal(await row.getByText("Retry").count(), 0);
  });

  for (const [width, height] of [
    [1440, 760],
    [1280, 720],
    [1440, 900],
  ]) {
    test(`every panel is usable in a window of ${width} by ${height}`, LIMIT, async () => {
      await page.setViewportSize({ width, height });
      for (const panel of PANELS) {
        const choice = page.locator(`[data-show="${panel}"]:visible`);
        if ((await choice.count()) > 0) await choice.click();
        const box = await page.locator(`#${panel}`).boundingBox();
        assert.ok(box.height >= 170 && box.y >= 0 && box.y + box.height <= height, `${panel} is at ${JSON.stringify(box)}`);
      }
      await page.setViewportSize(VIEWPORT);
    });
  }

  test("creates and deletes a computer", LIMIT, async () => {
    await page.locator("#create-open").click();
    const create = page.locator("#create-form");
    await create.locator("[name=name]").fill("second");
    await create.locator("[type=submit]").click();
    await page.locator("#computer-name", { hasText: "second" }).waitFor();
    await page.locator("#computer-status", { hasText: "Running" }).waitFor();

    await page.locator("#computer-delete").click();
    const confirm = page.locator("#delete-form");
    await confirm.locator("[name=name]").fill("second");
    await confirm.locator("[type=submit]").click();
    await page.locator("#computers-list").getByText("second").waitFor({ state: "detached" });
    const names = (await orgo.workspaces.list()).flatMap(({ desktops }) => desktops.map(({ name }) => name));
    assert.deepEqual(names, [computer.info.name]);
  });

  test("there are no policy violations and no uncaught errors", () => assert.deepEqual(failures, []));
});
