// Tests a flood of terminal output in a page.
// ORGO_FULL=1 prints more output.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as sdk from "orgo-sdk";
import { WebSocketServer } from "ws";
import { buildPage } from "../support/build-page.mjs";
import { startBrowser } from "../support/cdp.mjs";
import { createComputer } from "../support/computer.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { startPages } from "../support/pages.mjs";
import { until } from "../support/wait.mjs";

const full = process.env.ORGO_FULL === "1";
/** The size of a file that has 60 MB in base64, or a part of it. */
const FILE_SIZE = full ? 45_000_000 : 6_000_000;
const YES_SECONDS = full ? 60 : 3;
const LIMIT = { timeout: full ? 1_800_000 : 180_000 };
const MiB = 1 << 20;
const folder = mkdtempSync(join(tmpdir(), "orgo-flow-"));
let computer, desktop, expected, pages;

before(async () => {
  await buildPage(new URL("flow-page", import.meta.url), folder, { target: "es2022" });
  pages = await startPages(() => folder, { styles: "'self' 'unsafe-inline'" });
  desktop = await startDesktop({ allowOrigins: [pages.origin] });
  ({ computer } = await createComputer(sdk, desktop.options));
  const { output } = await computer.bash(`head -c ${FILE_SIZE} /dev/urandom > ~/flood && base64 ~/flood | sha256sum`);
  expected = output.split(" ")[0];
});

after(async () => {
  await desktop?.stop();
  await pages?.close();
  rmSync(folder, { recursive: true });
});

/** A server that sends output, an exit and a close to a terminal that writes to it. */
async function startShell(context, size) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  const shell = { closed: false };
  server.on("connection", (socket) => {
    socket.on("close", () => (shell.closed = true));
    socket.on("message", (message) => {
      const { type } = JSON.parse(message);
      if (type === "ping") socket.send('{"type":"pong"}');
      if (type !== "input") return;
      const piece = 16 << 10;
      const output = JSON.stringify({ type: "output", data: "x".repeat(piece) });
      for (let sent = 0; sent < size; sent += piece) socket.send(output);
      socket.send('{"type":"exit","code":3}');
      socket.close(1000);
    });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  context.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return Object.assign(shell, { port: server.address().port });
}

describe("a terminal in a page", () => {
  let browser;
  before(async () => (browser = await startBrowser()));
  after(() => browser?.close());

  async function openPage(context) {
    const page = await browser.openPage(pages.origin);
    context.after(() => page.close());
    await until("the page", () => page.evaluate("globalThis.readRest !== undefined"));
    return page;
  }

  test("a long output arrives completely in xterm.js, and Ctrl+C ends an endless one", LIMIT, async (context) => {
    const page = await openPage(context);
    await page.evaluate(`openTerminal(${JSON.stringify(desktop.options)}, ${JSON.stringify(computer.id)})`);
    const file = await page.evaluate("printFile('~/flood')");
    console.log(`  ${file.size} bytes of base64, at most ${file.mostBuffered} bytes unread`);
    assert.equal(file.hash, expected);

    const yes = await page.evaluate(`runYes(${YES_SECONDS})`);
    console.log(`  ${JSON.stringify(yes)}`);
    assert.ok(yes.isExact, "the output is complete and in order");
    assert.equal(yes.status, "open");
  });

  test("a page that starts to read late gets all output and the end of the shell", LIMIT, async (context) => {
    const size = 32 * MiB;
    const shell = await startShell(context, size);
    const page = await openPage(context);
    await page.evaluate(`openUnread(${shell.port}, ${MiB})`);
    await until("the server to close the socket", () => shell.closed);
    assert.deepEqual(await page.evaluate("readRest()"), { size, reason: "exit", code: 3 });
  });
});
