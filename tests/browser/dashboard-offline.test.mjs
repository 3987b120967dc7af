// Tests the dashboard while its service is unreachable, and after the service is reachable again.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openDashboard, selectMode } from "../support/dashboard-page.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 60_000 };
/** The time within which the page must react, in milliseconds. It is twice the documented time, for busy machines. */
const SOON = 4_000;
let env, page;

before(async () => {
  env = await openDashboard();
  ({ page } = env);
  await page.locator("#terminal-state", { hasText: "Connected" }).waitFor();
});

after(() => env?.close());

const rows = () => page.locator(".xterm-rows > div").allInnerTexts();
const shell = async (line) => {
  await page.locator("#terminal-view").click();
  await page.keyboard.type(`${line}\n`);
};

describe("the dashboard during an outage of its service", () => {
  test("shows one clear notice soon and offers a retry", LIMIT, async () => {
    await shell("echo kept-$((40+2))");
    await until("the output of the shell", async () => (await rows()).includes("kept-42"));
    await env.gate.close();
    await page.locator("#computer-status", { hasText: "Unreachable" }).waitFor({ timeout: SOON });
    const notices = page.locator("#notices .notice");
    assert.equal(await notices.count(), 1, await notices.allInnerTexts().then(String));
    assert.match(await notices.innerText(), /The service refused the connection/);
    const text = await page.locator("body").innerText();
    assert.doesNotMatch(text, /os error|ECONN|Running/);
    for (const id of [
      "computer-start",
      "computer-stop",
      "computer-restart",
      "computer-delete",
      "create-open",
      "files-export",
      "files-upload",
      "screen-keyboard",
      "screen-full",
      "terminal-open",
      "audio-play",
    ]) {
      assert.ok(await page.locator(`#${id}`).isDisabled(), id);
    }
    for (const selector of ["#notices", "#screen-overlay"]) {
      assert.ok(await page.locator(selector).getByRole("button", { name: "Retry now" }).isVisible(), selector);
    }
    assert.equal(await page.locator("#screen-hint").innerText(), "");
    // Keys have no effect and are not queued.
    await page.locator("#screen-stage").press("Enter");
    assert.equal(await page.evaluate("document.activeElement.id"), "screen-stage");
  });

  test("reconnects soon and announces the new shell below the output of the old one", LIMIT, async () => {
    await env.gate.open();
    await page.locator("#computer-status", { hasText: "Running" }).waitFor({ timeout: SOON });
    await page.locator("#screen-overlay").waitFor({ state: "hidden", timeout: SOON });
    await page.locator("#terminal-state", { hasText: "Connected" }).waitFor({ timeout: SOON });
    await page.locator("#events-state", { hasText: "Connected" }).waitFor({ timeout: SOON });
    assert.equal(await page.locator("#notices .notice").count(), 0);
    const printed = (await rows()).map((row) => row.trim());
    const at = printed.indexOf("kept-42");
    assert.ok(at >= 0, printed.join("\n"));
    await until("the notice of the new shell", async () =>
      (await rows()).join("\n").includes("The connection was lost. This is a new shell."),
    );
    await shell("echo new-$((50+2))");
    await until("the output of the new shell", async () => (await rows()).includes("new-52"));
    await page.locator("#events-list .gap").first().waitFor({ timeout: SOON });
  });

  test("a slow screenshot shows its duration and triggers a check of the service", LIMIT, async () => {
    await selectMode(page, "api");
    await page.locator("#screen-overlay").waitFor({ state: "hidden" });
    let held;
    await page.route(/\/screenshot/, (route) => {
      if (held !== undefined) return route.continue();
      held = route;
    });
    await page.locator("#screen-latency", { hasText: /^\d s…$/ }).waitFor();
    assert.equal(await page.locator("#computer-status").innerText(), "Running");
    await held.continue();
    await page.locator("#screen-latency", { hasText: / ms$/ }).waitFor();
    await page.unroute(/\/screenshot/);
    await selectMode(page, "live");
  });

  test("the retry button retries immediately", LIMIT, async () => {
    await env.gate.close();
    const button = page.locator("#notices").getByRole("button", { name: "Retry now" });
    await button.waitFor();
    await button.click();
    await env.gate.open();
    await button.evaluate((element) => element.click());
    await page.locator("#computer-status", { hasText: "Running" }).waitFor({ timeout: SOON });
  });

  test("reconnects immediately after short interruptions, however often they occur", LIMIT, async () => {
    for (let times = 0; times < 5; times += 1) {
      await page.locator("#events-clear").click();
      await env.gate.close();
      await env.gate.open();
      await page.locator("#events-list .gap").first().waitFor({ timeout: SOON });
      await page.locator("#terminal-state", { hasText: "Connected" }).waitFor({ timeout: SOON });
      assert.equal(await page.locator("#notices .notice").count(), 0);
    }
  });

  test("a new shell starts with reset terminal modes", LIMIT, async () => {
    await page.locator("#terminal-state", { hasText: "Connected" }).waitFor();
    await shell("printf '\\033[?1049h\\033[?25l\\033[?1002h\\033[31mfull screen'; sleep 100");
    await until("the alternate screen", async () => (await rows()).join("\n").includes("full screen"));
    await env.gate.close();
    await page.locator("#computer-status", { hasText: "Unreachable" }).waitFor();
    await env.gate.open();
    await until("the notice of the new shell", async () => (await rows()).some((row) => row.includes("This is a new shell.")));
    await until("the main screen", async () => (await rows()).some((row) => row.includes("new-52")));
    assert.equal(await page.locator(".xterm.enable-mouse-events").count(), 0);
  });

  test("the terminal keeps its output when the computer stops and clears it for another computer", LIMIT, async () => {
    await page.locator("#computer-stop").click();
    await page.locator("#computer-status", { hasText: "Stopped" }).waitFor();
    const text = await page.locator("main").innerText();
    assert.doesNotMatch(text, /Click the screen|Drop files|Press Enter to type|Press Listen/);
    assert.ok((await rows()).join("\n").includes("new-52"));
    await page.locator("#computer-start").click();
    await page.locator("#terminal-state", { hasText: "Connected" }).waitFor({ timeout: 30_000 });
    assert.ok((await rows()).join("\n").includes("new-52"));
    await until(
      "the notice of the new shell",
      async () => (await rows()).filter((row) => row.includes("This is a new shell.")).length > 1,
    );

    await page.locator("#create-open").click();
    await page.locator("#create-form [type=submit]").click();
    await page.locator("#create").waitFor({ state: "hidden" });
    await until("the new computer to have the focus", () =>
      page.evaluate(`document.activeElement.matches(".computer[aria-current=true]")`),
    );
    assert.doesNotMatch((await rows()).join("\n"), /new-52/);
    await page.locator("#computer-delete").click();
    const confirm = page.locator("#delete-form");
    await confirm.locator("[name=name]").fill(await page.locator("#delete-name").innerText());
    await confirm.locator("[type=submit]").click();
    await page.locator("#delete").waitFor({ state: "hidden" });
    await until("the other computer to have the focus", () =>
      page.evaluate(`document.activeElement.matches(".computer[aria-current=true]")`),
    );
    assert.equal(await page.locator("#computer-name").innerText(), "first");
  });

  test("the focus is never lost", LIMIT, async () => {
    const focus = () => page.evaluate("document.activeElement.id");
    await page.locator("#computer-status", { hasText: "Running" }).waitFor();
    await page.locator("#screen-overlay").waitFor({ state: "hidden" });
    await page.locator("#computer-stop").press("Enter");
    await page.locator("#computer-status", { hasText: "Stopped" }).waitFor();
    assert.equal(await focus(), "computer-actions");
    await page.locator("#screen-overlay-action").press("Enter");
    await page.locator("#computer-status", { hasText: "Running" }).waitFor();
    assert.equal(await focus(), "screen-stage");
    await page.locator("#screen-overlay").waitFor({ state: "hidden" });
    await env.gate.close();
    const notices = page.locator("#notices");
    await notices.getByRole("button", { name: "Retry now" }).press("Enter");
    await env.gate.open();
    await notices.locator(".notice").waitFor({ state: "detached" });
    assert.equal(await focus(), "screen-stage");
  });

  test("there are no uncaught errors", () => assert.deepEqual(env.failures, []));
});
