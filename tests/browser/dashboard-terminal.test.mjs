// Tests the dashboard's terminal: copy and paste, wide characters, links, search, and exited shells.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openDashboard } from "../support/dashboard-page.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 60_000 };
let env, page;

before(async () => {
  env = await openDashboard({ viewport: { width: 1400, height: 1000 }, permissions: ["clipboard-read", "clipboard-write"] });
  ({ page } = env);
  await page.locator("#terminal-state", { hasText: "Connected" }).waitFor();
});

after(() => env?.close());

const row = (text) => page.locator(".xterm-rows > div").filter({ hasText: text });
const focus = () => page.locator("#terminal-view").press("Enter");
/** Returns the page coordinates of the start of a row. Tests click coordinates because another element covers the rows. */
async function positionIn(text, x = 12) {
  const box = await row(text).last().boundingBox();
  return [box.x + x, box.y + box.height / 2];
}
const clipboard = () => page.evaluate("navigator.clipboard.readText()");

/** Types a line and waits for its output. */
async function shell(line, printed) {
  await focus();
  await page.keyboard.type(`${line}\n`);
  if (printed !== undefined) await row(printed).first().waitFor();
}

describe("the dashboard's terminal", () => {
  test("Ctrl+Shift+C copies the selection, and Ctrl+Shift+V pastes it", LIMIT, async () => {
    await page.locator("#terminal-hint", { hasText: "Ctrl+Shift+C" }).waitFor();
    await shell("echo first-$((1+1))", /^first-2/);
    await page.mouse.dblclick(...(await positionIn(/^first-2/)));
    await page.keyboard.press("Control+Shift+C");
    await page.locator("#terminal-state", { hasText: "Copied" }).waitFor();
    assert.equal((await clipboard()).trim(), "first-2");
    await page.keyboard.type("echo [");
    await page.keyboard.press("Control+Shift+V");
    await row("echo [first-2").waitFor();
    await page.keyboard.press("Control+C");
  });

  test("a paste cannot end the bracketed paste early, and the removed characters are reported", LIMIT, async () => {
    await page.evaluate((text) => navigator.clipboard.writeText(text), "echo started\x1b[201~\ntouch ~/pasted\n\x04\x03");
    await focus();
    await page.keyboard.press("Control+Shift+V");
    await page.locator("#terminal-state", { hasText: "Pasted without 3 control characters" }).waitFor();
    await row("echo started[201~").first().waitFor();
    await page.keyboard.press("Control+C");
    await shell("echo third-$((1+1))", /^third-2/);
    assert.notEqual((await env.computer.bash("ls ~/pasted")).exit_code, 0);
  });

  test("shows why text that is too long is not sent", LIMIT, async () => {
    await page.locator(".xterm-helper-textarea").evaluate((field) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", "x".repeat(17 * 1024 * 1024));
      field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    });
    await page.locator("#terminal-state", { hasText: /^Not sent: .*at most 16777216/ }).waitFor();
  });

  test("Ctrl+C copies the selection, or ends a program if there is none", LIMIT, async () => {
    await shell("echo second-$((1+1)); sleep 1000; echo ended-$((1+1))", /^second-2/);
    await page.mouse.dblclick(...(await positionIn(/^second-2/)));
    await page.keyboard.press("Control+C");
    await page.locator("#terminal-state", { hasText: "Copied" }).waitFor();
    assert.equal((await clipboard()).trim(), "second-2");
    assert.equal((await env.computer.bash("pgrep -c sleep")).output.trim(), "1", "the program must still run");
    assert.equal(await row("^C").filter({ hasText: "sleep" }).count(), 0);
    await page.keyboard.press("Control+C");
    await until("the program to end", async () => (await env.computer.bash("pgrep -c sleep")).output.trim() === "0");
  });

  test("wide characters take the same number of cells as in the shell", LIMIT, async () => {
    await shell("clear; printf '|%s|%s|%s|\\n' ab ab ab 🚀 ✅ 🇩🇪 世 界 ＡＢ é ñ x", /^\|é/);
    const positions = await row(/^\|/).evaluateAll((rows) =>
      rows.map((row) => {
        const found = [];
        const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
          for (let at = node.data.indexOf("|"); at >= 0; at = node.data.indexOf("|", at + 1)) {
            const range = document.createRange();
            range.setStart(node, at);
            range.setEnd(node, at + 1);
            found.push(range.getBoundingClientRect().x);
          }
        }
        return found;
      }),
    );
    const [letters, emoji] = positions;
    assert.equal(emoji.length, 4);
    for (const [at, x] of emoji.entries()) assert.ok(Math.abs(x - letters[at]) < 1.5, JSON.stringify(positions));
  });

  test("opens a link in a new tab", LIMIT, async () => {
    const address = `${env.dashboard.origin}/icon.svg`;
    await shell(`clear; echo at ${address}.`, new RegExp(`^at ${address}`));
    const opened = env.context.waitForEvent("page");
    await page.mouse.move(...(await positionIn(/^at http/, 90)));
    await page.mouse.click(...(await positionIn(/^at http/, 80)));
    const tab = await opened;
    await tab.waitForURL(address);
    await tab.close();
  });

  test("searches the output", LIMIT, async () => {
    await shell("clear; seq -f 'line %g of many' 300", /^line 300 of/);
    await page.keyboard.press("Control+Shift+F");
    await page.keyboard.type("LINE 29");
    await page.locator("#terminal-found", { hasText: /^\d+ of 11$/ }).waitFor();
    const before = await page.locator("#terminal-found").innerText();
    await page.keyboard.press("Enter");
    await until("the next match", async () => (await page.locator("#terminal-found").innerText()) !== before);
    await page.locator("#terminal-find-text").fill("nowhere at all");
    await page.locator("#terminal-found", { hasText: "No results" }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#terminal-find").waitFor({ state: "hidden" });
    await page.keyboard.type("echo back-$((1+1))\n");
    await row(/^back-2/).waitFor();
  });

  test("asks before it ends a shell, and keeps the output of the shell", LIMIT, async () => {
    await shell("variable=kept; echo third-$((1+1))", /^third-2/);
    await page.locator("#terminal-open").click();
    await page.locator("#new-shell").waitFor();
    await page.keyboard.press("Enter");
    await page.locator("#new-shell").waitFor({ state: "hidden" });
    await shell("echo it-is-$variable", /^it-is-kept/);
    await page.locator("#terminal-open").click();
    await page.locator("#new-shell [type=submit]").click();
    await row("This is a new shell.").waitFor();
    assert.ok(await row(/^third-2/).count());
    await page.locator("#terminal-state", { hasText: "Connected" }).waitFor();
    await page.keyboard.type("echo now-$variable.\n");
    await row(/^now-\./).waitFor();
    // An exited shell is replaced without confirmation.
    await page.keyboard.type("exit\n");
    await page.locator("#terminal-state", { hasText: "The shell exited" }).waitFor();
    await page.locator("#terminal-open").click();
    await page.locator("#terminal-state", { hasText: "Connected" }).waitFor();
    assert.ok(await page.locator("#new-shell").isHidden());
  });

  test("there are no uncaught errors", () => assert.deepEqual(env.failures, []));
});
