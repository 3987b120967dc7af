// Tests that a failure inside a live screen ends the screen with its reason, and that the page can open another one. The traps are
// real: the test limits the memory of its copy of the module of the screen, and exhausts it.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildPage } from "../support/build-page.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { bells, size, startScreenServer, update } from "../support/screen-server.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 30_000 };
const MODES = {
  "in a worker": {},
  "in the page, because the policy forbids workers": { workers: "'none'" },
};
/** The limit of the memory of the changed module, in bytes. A small screen fits. */
const MEMORY = 12 << 20;
/** A message that does not fit in the memory, but is within the limit of messages. */
const LARGE = 14 << 20;
/** A screen that fits in the memory, but not together with an image: its width and its height. */
const SIDE = 1250;

/** Returns the module of the screen with a maximum of its memory. */
function limitedModule() {
  const module = readFileSync(new URL("../../npm/dist/wasm/orgo_screen_bg.wasm", import.meta.url));
  const number = (at) => {
    let [value, end] = [0, at];
    for (let shift = 0; ; shift += 7) {
      const byte = module[end++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return [value, end];
    }
  };
  const encoded = (value) => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...encoded(value >> 7)]);
  // After the header of eight bytes, each section has a number and a length. The section 5 contains the memory.
  for (let at = 8; at < module.length; ) {
    const [length, start] = number(at + 1);
    if (module[at] === 5) {
      const [minimum] = number(start + 2);
      const section = [1, 1, ...encoded(minimum), ...encoded(MEMORY >> 16)];
      return Buffer.concat([
        module.subarray(0, at),
        Buffer.from([5, section.length, ...section]),
        module.subarray(start + length),
      ]);
    }
    at = start + length;
  }
  throw new Error("the module has no memory");
}

const folder = mkdtempSync(join(tmpdir(), "orgo-failures-"));
let browser, module, server;
before(async () => {
  await buildPage(new URL("screen-page/", import.meta.url), folder);
  module = limitedModule();
  server = await startScreenServer();
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true });
});

for (const [mode, serve] of Object.entries(MODES)) {
  describe(`a live screen ${mode}`, { concurrency: false }, () => {
    const failures = [];
    const inWorker = mode === "in a worker";
    let page, pages;
    before(async () => {
      pages = await startPages(() => folder, serve);
      page = await browser.newPage();
      page.on("pageerror", (error) => failures.push(error.stack));
      await page.route("**/*screen*.wasm", (route) => route.fulfill({ body: module, contentType: "application/wasm" }));
      // A worker whose messages about the size arrive late.
      await page.addInitScript(() => {
        const { get, set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
        const isLost = ({ data }) => globalThis.areOutlinesLost && data.type === "outline";
        Object.defineProperty(Worker.prototype, "onmessage", {
          get,
          set(handle) {
            set.call(this, (event) => isLost(event) || handle.call(this, event));
          },
        });
      });
      await page.goto(pages.origin);
    });
    after(async () => {
      await page?.close();
      await pages?.close();
    });

    const connection = () => ({ version: 1, computer_id: "c", password: "p", realtime_url: server.url });

    /** Opens a screen, shows it, and waits until the page shows its content. */
    async function show() {
      await page.evaluate((connection) => globalThis.open(connection), connection());
      await page.evaluate(() => globalThis.attach());
      await until("the screen", () => page.evaluate(() => globalThis.color(1, 1) === "255,255,255"));
      await until("the worker", () => page.workers().length === (inWorker ? 1 : 0));
    }

    /** Starts to wait for the end of the screen: its state, and the errors of a loop over its changes and of an image. */
    const watch = () =>
      page.evaluate(() => {
        const { screenChannel } = globalThis;
        const problem = ({ name, message }) => `${name}: ${message}`;
        const loop = async () => {
          for await (const _ of screenChannel);
        };
        const image = async () => {
          for (;;) {
            await screenChannel.screenshot();
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
        };
        globalThis.ends = Promise.all([loop().catch(problem), image().catch(problem)]);
      });

    /** Checks how the screen has ended, that nothing is left, and that the page can open another one. */
    async function assertEnded(reason, message) {
      const ends = await page.evaluate(() => globalThis.ends);
      const { cause } = await page
        .evaluate(() => globalThis.screenChannel.state)
        .then((state) => {
          assert.equal(state.status, "closed", JSON.stringify(state));
          return state;
        });
      assert.equal(cause.reason, reason, cause.message);
      for (const text of [cause.message, ...ends]) assert.match(text, message);
      assert.equal(await page.evaluate(() => globalThis.screenChannel.move({ x: 1, y: 1 })), false);
      await page.evaluate(() => globalThis.screenView?.detach());
      assert.equal(await page.evaluate(() => document.querySelector("#screen").childElementCount), 0);
      await page.evaluate(() => globalThis.screenChannel.close());
      await until("the connection to end", () => server.sockets.every(({ readyState }) => readyState === 3));
      await until("the worker to end", () => page.workers().length === 0);
      await show();
      await page.evaluate(() => globalThis.screenView.detach());
      await page.evaluate(() => globalThis.screenChannel.close());
    }

    test("a trap of the module ends the screen with its reason", LIMIT, async () => {
      await show();
      await watch();
      server.send(bells(LARGE));
      await assertEnded("failed", /the screen failed: unreachable/);
    });

    test("a screen for which there is no memory ends with this reason", LIMIT, async () => {
      await show();
      await watch();
      server.send(update(size(8192, 4096)));
      await assertEnded("protocol", /not enough memory for the screen/);
    });

    for (const [width, height] of [
      [16_384, 16_384],
      [65_535, 65_535],
    ]) {
      test(`an announced size of ${width} x ${height} is refused`, LIMIT, async () => {
        Object.assign(server, { width, height });
        const problem = await page.evaluate(
          (connection) => globalThis.open(connection).catch(({ name, message }) => `${name}: ${message}`),
          connection(),
        );
        Object.assign(server, { width: 64, height: 48 });
        assert.match(problem, /^ChannelClosedError: .*more than 33,554,432 pixels/);
        await show();
        await page.evaluate(() => globalThis.screenView.detach());
        await page.evaluate(() => globalThis.screenChannel.close());
      });
    }

    if (inWorker) {
      test("an error of the worker ends the screen with its reason", LIMIT, async () => {
        await show();
        await watch();
        await page.workers()[0].evaluate(() => void setTimeout(() => globalThis.missing()));
        await assertEnded("failed", /globalThis\.missing is not a function/);
      });
    }

    if (inWorker) {
      test("a button is released although the screen has become smaller, which the page does not know yet", LIMIT, async () => {
        await show();
        const messages = [];
        server.sockets.at(-1).on("message", (message) => messages.push(message));
        /** The held buttons of the last message that ends with a pointer event. */
        const held = () => messages.findLast((message) => message.at(-6) === 5)?.at(-5);
        await page.mouse.move(530, 300);
        await page.mouse.down();
        await until("the press", () => held() === 1);
        await page.evaluate(() => (globalThis.areOutlinesLost = true));
        server.send(update(size(16, 12)));
        const request = Buffer.from([3, 0, 0, 0, 0, 0, 0, 16, 0, 12]);
        await until("the request for the smaller screen", () => messages.some((message) => message.includes(request)));
        await page.mouse.up();
        await until("the release", () => held() === 0);
        await page.evaluate(() => {
          globalThis.areOutlinesLost = false;
          globalThis.screenView.detach();
          return globalThis.screenChannel.close();
        });
      });
    }

    test("a trap while an image is taken ends the screen with its reason", LIMIT, async () => {
      Object.assign(server, { width: SIDE, height: SIDE });
      await show();
      Object.assign(server, { width: 64, height: 48 });
      await watch();
      await assertEnded("failed", /the screen failed: unreachable/);
    });

    test("there are no uncaught errors", () => assert.deepEqual(failures, []));
  });
}
