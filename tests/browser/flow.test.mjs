// Tests a flood of terminal output, the time limits of many calls, and their CORS preflights in a page.
// ORGO_FULL=1 prints more output.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
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

/** Returns messages with a size in total. */
function* output(size) {
  const piece = 16 << 10;
  const message = JSON.stringify({ type: "output", data: "x".repeat(piece) });
  for (let sent = 0; sent < size; sent += piece) yield message;
}

/** A burst of messages of all kinds that a terminal receives. */
function burst() {
  const frame = (data) => JSON.stringify({ type: "output", data });
  const escaped = (data) =>
    frame(data).replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt().toString(16).padStart(4, "0")}`);
  const texts = Array.from({ length: 300 }, (_, index) => `${index} é漢🦀\r\n`);
  const ascii = Array.from({ length: 300 }, (_, index) => `\x1b[1;31m${index}\x1b[0m\t"\\\r\n`);
  return [
    ...texts.map(frame),
    ...ascii.map(frame),
    frame("Latin é"),
    escaped("escaped é漢🦀"),
    // The halves of a character, also with other messages between them, and without the other half.
    ...["\ud83e", "\udd80 joined", "\ud83e"].map(escaped),
    '{"type":"pong"}',
    ...["\udd80 joined", "\ud83e", "not joined", "\udd80", "\ud83e", "\ud83e\udd80"].map(escaped),
    '{ "data" : "spaces" , "type" : "output" }',
    '{"type":"output","data":"more fields","sequence":{"a":[1]}}',
    '{"type":"x","data":"x","type":"output","data":"the last field counts"}',
    frame(""),
    ...[null, 5, ["x"], { isWellFormed: "x" }].map(frame),
    '{"type":"output"}',
    "null",
    "[]",
    "",
    "{",
    "é".repeat(100),
    '{"type":"new"}',
    // This message is longer than the room for collected messages.
    frame(`long ${"漢".repeat(200_000)}`),
    Buffer.from(frame("binary")),
    '{"type":"error","message":"it failed"}',
    ...texts.map(frame),
  ];
}

/** A server that sends messages, an exit, the messages of `late` and a close to a terminal that writes to it. */
async function startShell(context, messages, late = []) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  const shell = { closed: false, sent: [] };
  server.on("connection", (socket) => {
    const sent = { messages: 0, bytes: 0 };
    shell.sent.push(sent);
    const send = (message) => {
      sent.messages += 1;
      sent.bytes += Buffer.byteLength(message);
      socket.send(message);
    };
    socket.on("close", () => (shell.closed = true));
    socket.on("message", (message) => {
      const { type } = JSON.parse(message);
      if (type === "ping") send('{"type":"pong"}');
      if (type !== "input") return;
      for (const message of messages()) send(message);
      send('{"type":"exit","code":3}');
      for (const message of late) socket.send(message);
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

/** The header fields of a server that pages of all origins may use. The browser may keep this permission. */
const ALLOW = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization, content-type",
  "access-control-max-age": "600",
};

/** A server of the API. `respond` handles each request that is not a CORS preflight. */
async function startApi(context, respond) {
  const api = { methods: [] };
  const server = createServer((request, response) => {
    api.methods.push(request.method);
    if (request.method === "OPTIONS") response.writeHead(204, ALLOW).end();
    else respond(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(api, { port: server.address().port });
}

describe("a terminal in a page", () => {
  let browser;
  before(async () => (browser = await startBrowser()));
  after(() => browser?.close());

  async function openPage(context) {
    const page = await browser.openPage(pages.origin);
    context.after(async () => {
      const failures = await page.evaluate("failures");
      await page.close();
      assert.deepEqual(failures, []);
    });
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
    const shell = await startShell(context, () => output(size));
    const page = await openPage(context);
    await page.evaluate(`openUnread(${shell.port}, ${MiB})`);
    await until("the server to close the socket", () => shell.closed);
    assert.deepEqual(await page.evaluate("readRest()"), { size, reason: "exit", code: 3 });
  });

  const browsers = {
    "a current browser": "",
    "a browser without newer functions": "delete globalThis.scheduler; delete String.prototype.isWellFormed;",
  };
  for (const [name, change] of Object.entries(browsers)) {
    test(`in ${name}, two terminals receive bursts of messages of all kinds completely and in order`, LIMIT, async (context) => {
      const shell = await startShell(context, burst);
      const page = await openPage(context);
      await page.evaluate(change);
      let text = "";
      let malformed = 0;
      for (const message of burst()) {
        try {
          const { type, data } = JSON.parse(message);
          if (type === "output" && typeof data === "string") text += data;
          else if (type !== "error" && type !== "pong") malformed += 1;
        } catch {
          malformed += 1;
        }
      }
      text = text.toWellFormed();
      // The client measures text in UTF-8.
      const expected = { text, received: Buffer.byteLength(text), malformed, problems: ["it failed"], reason: "exit", code: 3 };
      const seen = await page.evaluate(`readBursts(${shell.port}, 2)`);
      assert.deepEqual(
        seen,
        shell.sent.map(({ messages, bytes }) => ({ ...expected, messages, bytes })),
      );
    });
  }

  const lateMessages = {
    nothing: [],
    text: ['{"type":"output","data":"late"}'],
    "a long text": [JSON.stringify({ type: "output", data: "x".repeat(200_000) })],
    "binary data": [Buffer.from("late")],
  };
  for (const [name, late] of Object.entries(lateMessages)) {
    test(`a busy page gets the end of a shell that is followed by ${name} and a close`, LIMIT, async (context) => {
      const size = 2 * MiB;
      const shell = await startShell(context, () => output(size), late);
      const page = await openPage(context);
      // The close arrives while messages are collected.
      await page.evaluate("scheduler.postTask = (task) => setTimeout(task, 1000);");
      assert.deepEqual(await page.evaluate(`readAll(${shell.port})`), { size, reason: "exit", code: 3 });
    });
  }

  test("each call ends at its own time limit, while longer limits wait", LIMIT, async (context) => {
    const silent = await startApi(context, () => {});
    const page = await openPage(context);
    const limits = [600_000, 400, 200, 300, 200];
    const ended = await page.evaluate(`callWithLimits(${silent.port}, ${JSON.stringify(limits)})`);
    assert.deepEqual(
      ended.map(({ kind, limit }) => ({ kind, limit })),
      limits.map((limit, index) => (index === 0 ? { kind: "aborted", limit: undefined } : { kind: "timeout", limit })),
    );
    for (const { limit, elapsed } of ended.slice(1)) assert.ok(elapsed >= limit, `${elapsed} ms`);
  });

  test("equal calls to another origin need one CORS preflight", LIMIT, async (context) => {
    const api = await startApi(context, (response) => response.writeHead(200, ALLOW).end('{"success":true}'));
    const page = await openPage(context);
    await page.evaluate(`click(${api.port}, 3)`);
    assert.deepEqual(api.methods, ["OPTIONS", "POST", "POST", "POST"]);
  });
});
