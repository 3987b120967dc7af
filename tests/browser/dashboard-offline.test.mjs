// The service goes away and comes back while the dashboard is open.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openDashboard } from "../support/dashboard-page.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 60_000 };
/** How long the page may take to notice, in milliseconds. A busy machine gets twice the time that is promised. */
const SOON = 4_000;
let stage, page;

before(async () => {
  stage = await openDashboard();
  ({ page } = stage);
  await page.locator("#terminal-state", { hasText: "Connected" }).waitFor();
});

after(() => stage?.close());

const rows = () => page.locator(".xterm-rows > div").allInnerTexts();
const shell = async (line) => {
  await page.locator("#terminal-view").click();
  await page.keyboard.type(`${line}\n`);
};

describe("the dashboard while its service is away", () => {
  test("says so soon, once and in plain words, and offers what can be done", LIMIT, async () => {
    await shell("echo kept-$((40+2))");
    await until("the shell's answer", async () => (await rows()).includes("kept-42"));
    await stage.gate.close();
    await page.locator("#machine-status", { hasText: "Not known" }).waitFor({ timeout: SOON });
    const notices = page.locator("#notices .notice");
    assert.equal(await notices.count(), 1, await notices.allInnerTexts().then(String));
    assert.match(await notices.innerText(), /The service does not answer/);
    const text = await page.locator("body").innerText();
    assert.doesNotMatch(text, /os error|ECONN|Running/);
    for (const id of [
      "machine-start",
      "machine-stop",
      "machine-restart",
      "machine-delete",
      "create-open",
      "files-export",
      "files-upload",
      "screen-keyboard",
      "screen-full",
      "terminal-open",
      "sound-play",
    ]) {
      assert.ok(await page.locator(`#${id}`).isDisabled(), id);
    }
    for (const place of ["#notices", "#screen-cover"]) {
      assert.ok(await page.locator(place).getByRole("button", { name: "Retry now" }).isVisible(), place);
    }
    assert.equal(await page.locator("#screen-hint").innerText(), "");
    // Keys do nothing, and nothing is queued for later.
    await page.locator("#screen-stage").press("Enter");
    assert.equal(await page.evaluate("document.activeElement.id"), "screen-stage");
  });

  test("is back soon after it, and the shell says that it is a new one below what the old one printed", LIMIT, async () => {
    await stage.gate.open();
    await page.locator("#machine-status", { hasText: "Running" }).waitFor({ timeout: SOON });
    await page.locator("#screen-cover").waitFor({ state: "hidden", timeout: SOON });
    await page.locator("#terminal-state", { hasText: "Connected" }).waitFor({ timeout: SOON });
    await page.locator("#events-state", { hasText: "Connected" }).waitFor({ timeout: SOON });
    assert.equal(await page.locator("#notices .notice").count(), 0);
    const printed = (await rows()).map((row) => row.trim());
    const at = printed.indexOf("kept-42");
    assert.ok(at >= 0, printed.join("\n"));
    await until("the line of the new shell", async () =>
      (await rows()).join("\n").includes("The connection was lost. This is a new shell."),
    );
    await shell("echo new-$((50+2))");
    await until("the new shell's answer", async () => (await rows()).includes("new-52"));
    await page.locator("#events-list .gap").first().waitFor({ timeout: SOON });
  });

  test("a picture that is late is told, and the service is asked for", LIMIT, async () => {
    await page.locator("#screen-cover").waitFor({ state: "hidden" });
    let held;
    await page.route(/\/screenshot/, (route) => (held === undefined ? void (held = route) : route.continue()));
    await page.locator("#screen-latency", { hasText: /^\d s…$/ }).waitFor();
    assert.equal(await page.locator("#machine-status").innerText(), "Running");
    await held.continue();
    await page.locator("#screen-latency", { hasText: / ms$/ }).waitFor();
    await page.unroute(/\/screenshot/);
  });

  test("the button looks at once", LIMIT, async () => {
    await stage.gate.close();
    const button = page.locator("#notices").getByRole("button", { name: "Retry now" });
    await button.waitFor();
    await button.click();
    await stage.gate.open();
    await button.evaluate((element) => element.click());
    await page.locator("#machine-status", { hasText: "Running" }).waitFor({ timeout: SOON });
  });

  test("connects again at once after connections that broke for a moment, however often", LIMIT, async () => {
    for (let times = 0; times < 5; times += 1) {
      await page.locator("#events-clear").click();
      await stage.gate.close();
      await stage.gate.open();
      await page.locator("#events-list .gap").first().waitFor({ timeout: SOON });
      await page.locator("#terminal-state", { hasText: "Connected" }).waitFor({ timeout: SOON });
      assert.equal(await page.locator("#notices .notice").count(), 0);
    }
  });

  test("a program of the old shell leaves the new one a plain terminal", LIMIT, async () => {
    await page.locator("#terminal-state", { hasText: "Connected" }).waitFor();
    await shell("printf '\\033[?1049h\\033[?25l\\033[?1002h\\033[31mfull screen'; sleep 100");
    await until("the other screen", async () => (await rows()).join("\n").includes("full screen"));
    await stage.gate.close();
    await page.locator("#machine-status", { hasText: "Not known" }).waitFor();
    await stage.gate.open();
    await until("the line of the new shell", async () => (await rows()).some((row) => row.includes("This is a new shell.")));
    await until("the first screen again", async () => (await rows()).some((row) => row.includes("new-52")));
    assert.equal(await page.locator(".xterm.enable-mouse-events").count(), 0);
  });

  test(
    "what stops the computer keeps what its shell has printed, and another computer's shell does not show it",
    LIMIT,
    async () => {
      await page.locator("#machine-stop").click();
      await page.locator("#machine-status", { hasText: "Stopped" }).waitFor();
      const text = await page.locator("main").innerText();
      assert.doesNotMatch(text, /Click it|Drop some|Enter to type|press Listen/);
      assert.ok((await rows()).join("\n").includes("new-52"));
      await page.locator("#machine-start").click();
      await page.locator("#terminal-state", { hasText: "Connected" }).waitFor({ timeout: 30_000 });
      assert.ok((await rows()).join("\n").includes("new-52"));
      await until(
        "the line of the new shell",
        async () => (await rows()).filter((row) => row.includes("This is a new shell.")).length > 1,
      );

      await page.locator("#create-open").click();
      await page.locator("#create-form [type=submit]").click();
      await page.locator("#create").waitFor({ state: "hidden" });
      await until("the focus on the new computer", () =>
        page.evaluate(`document.activeElement.matches(".computer[aria-current=true]")`),
      );
      assert.doesNotMatch((await rows()).join("\n"), /new-52/);
      await page.locator("#machine-delete").click();
      const confirm = page.locator("#delete-form");
      await confirm.locator("[name=name]").fill(await page.locator("#delete-name").innerText());
      await confirm.locator("[type=submit]").click();
      await page.locator("#delete").waitFor({ state: "hidden" });
      await until("the focus on the other computer", () =>
        page.evaluate(`document.activeElement.matches(".computer[aria-current=true]")`),
      );
      assert.equal(await page.locator("#machine-name").innerText(), "first");
    },
  );

  test("the focus is never left to nothing", LIMIT, async () => {
    const focus = () => page.evaluate("document.activeElement.id");
    await page.locator("#machine-status", { hasText: "Running" }).waitFor();
    await page.locator("#screen-cover").waitFor({ state: "hidden" });
    await page.locator("#machine-stop").press("Enter");
    await page.locator("#machine-status", { hasText: "Stopped" }).waitFor();
    assert.equal(await focus(), "machine-actions");
    await page.locator("#screen-cover-action").press("Enter");
    await page.locator("#machine-status", { hasText: "Running" }).waitFor();
    assert.equal(await focus(), "screen-stage");
    await page.locator("#screen-cover").waitFor({ state: "hidden" });
    await stage.gate.close();
    const notices = page.locator("#notices");
    await notices.getByRole("button", { name: "Retry now" }).press("Enter");
    await stage.gate.open();
    await notices.locator(".notice").waitFor({ state: "detached" });
    assert.equal(await focus(), "screen-stage");
  });

  test("no error got away", () => assert.deepEqual(stage.failures, []));
});
