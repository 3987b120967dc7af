// Tests of the live screen for every browser: the view in a worker, and in the page if workers are forbidden.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Wire } from "../conformance/wire.mjs";
import { TestComputer } from "../desktop/computer.mjs";
import { PointerWindow } from "../desktop/pointer-window.mjs";
import { startDesktop } from "./desktop.mjs";
import { servePage } from "./page.mjs";
import { until } from "./wait.mjs";

const NOTHING = "0 []";
const LIMIT = { timeout: 120_000 };
const SHIFT = "\uE008";
const ENTER = "\uE007";
/** How pages are served, and the number of workers that an open screen has. */
const MODES = {
  "in a worker": { serve: {}, workers: 1 },
  "in the page, because the policy forbids workers": { serve: { workers: "'none'" }, workers: 0 },
};

/** @param {() => Promise<Browser>} start starts a browser, see `firefox.mjs` */
export function testScreen(name, start) {
  for (const [mode, { serve, workers }] of Object.entries(MODES)) {
    describe(`a live screen in ${name} ${mode}`, { concurrency: false }, () => {
      let browser, computer, desktop, page, pages, window, wire;
      before(async () => {
        pages = await servePage(new URL("../browser/screen-page/", import.meta.url), { serve });
        desktop = await startDesktop({ allowOrigins: [pages.origin] });
        wire = new Wire(desktop.options);
        const workspace = (await wire.call("POST", "/workspaces", { name: "screen" })).body.id;
        computer = await TestComputer.start(wire, workspace, "screen");
        window = await PointerWindow.open(computer);
        browser = await start();
        page = await browser.newPage();
        await page.goto(pages.origin);
      });
      after(async () => {
        await browser?.close();
        await desktop?.stop();
        await pages?.close();
      });

      /** Calls a function of the page. */
      const call = (name, ...values) => page.evaluate(`${name}(${values.map((value) => JSON.stringify(value)).join()})`);
      const texts = async (count) =>
        (await window.seen((seen) => seen.filter(({ kind, text }) => kind === "key" && text !== "").length >= count))
          .map(({ text }) => text)
          .filter((text) => text !== undefined && text !== "");
      /** The position in the page of a pixel of the computer. */
      const position = async (x, y) => {
        const [left, top, width] = await page.evaluate(
          "(({ x, y, width }) => [x, y, width])(document.querySelector('#screen canvas').getBoundingClientRect())",
        );
        return [Math.round(left + (x * width) / 1280), Math.round(top + (y * width) / 1280)];
      };

      test("it shows the pixels of the computer", LIMIT, async () => {
        const { id, instance_id } = await computer.show();
        const { password } = (await wire.call("GET", `/computers/${id}/vnc-password`)).body;
        const { realtimeUrl: realtime_url } = desktop.options;
        await call("open", { version: 1, computer_id: id, instance_id, password, realtime_url });
        await page.evaluate("void attach()");
        // Not every driver reports the workers of a page.
        if (page.workers) assert.equal(await page.workers(), workers);
        // The first move hides the pointer that the server draws into the screen.
        await until("the canvas", () =>
          page.evaluate("document.querySelector('#screen canvas')?.getBoundingClientRect().width > 0"),
        );
        await page.mouse.move(...(await position(600, 400)));
        const pointer = { x: 570, y: 370, width: 60, height: 60 };
        await until("the same pixels as in a screenshot", async () => {
          const png = (await computer.screenshot()).toString("base64");
          return (await call("differences", png, pointer)) === 0;
        });
      });

      test("the mouse and the wheel are passed, in the pixels of the computer", LIMIT, async () => {
        const place = await position(300, 200);
        for (const button of [0, 2, 1]) await page.mouse.click(...place, button);
        await page.mouse.move(...(await position(100, 100)));
        await page.mouse.down();
        await page.mouse.move(...(await position(120, 140)));
        await page.mouse.up();
        // Each step of the wheel is one step on the computer.
        for (let turn = 0; turn < 7; turn += 1) await page.mouse.wheel(...place, 0, 100);
        const turned = (seen) => seen.reduce((sum, { kind, steps }) => sum + (kind === "wheel" ? steps : 0), 0);
        const seen = await window.seen((seen) => turned(seen) <= -7);
        await page.evaluate("screenChannel.key('m')");
        const later = await window.seen((seen) => seen.some(({ text }) => text === "m"));
        assert.equal(turned(seen) + turned(later), -7);
        const near = (value, expected) => assert.ok(Math.abs(value - expected) <= 2, `${value} is not near ${expected}`);
        const expected = [
          ["down", "left", 300, 200],
          ["up", "left", 300, 200],
          ["down", "right", 300, 200],
          ["up", "right", 300, 200],
          ["down", "middle", 300, 200],
          ["up", "middle", 300, 200],
          ["down", "left", 100, 100],
          ["drag", undefined, 120, 140],
          ["up", "left", 120, 140],
        ];
        const clicks = seen.filter(({ kind }) => kind !== "key" && kind !== "wheel");
        assert.deepEqual(
          clicks.map(({ kind, button }) => [kind, button]),
          expected.map(([kind, button]) => [kind, button]),
        );
        for (const [at, [, , x, y]] of expected.entries()) {
          near(clicks[at].x, x);
          near(clicks[at].y, y);
        }
      });

      test("keys arrive with the characters of the user's layout", LIMIT, async () => {
        await page.evaluate("screenView.focus()");
        await page.keyboard.type(`aB1!${ENTER}\u00e9\u0416`);
        assert.deepEqual(await texts(7), ["a", "B", "1", "!", "\r", "\u00e9", "\u0416"]);
      });

      test("what the view holds is released when the focus leaves", LIMIT, async () => {
        await page.mouse.move(...(await position(200, 200)));
        await page.mouse.down();
        await page.keyboard.down(SHIFT);
        await page.keyboard.down("x");
        await until("the keys and the button", async () => /^257 \[\d+, \d+\]$/.test(await window.held()));
        await page.evaluate("document.querySelector('#after').focus()");
        await until("nothing but the button is held", async () => (await window.held()) === "256 []");
        await page.keyboard.up("x");
        await page.keyboard.up(SHIFT);
        await page.mouse.up();
        await until("nothing is held", async () => (await window.held()) === NOTHING);
      });

      test("images and the clipboard of the computer arrive", LIMIT, async () => {
        const image = await page.evaluate(
          "screenChannel.screenshot().then(({ format, width, height, data }) => [format, width, height, ...data.subarray(1, 4)])",
        );
        assert.deepEqual(image, ["png", 1280, 720, ...Buffer.from("PNG")]);
        await page.evaluate("screenChannel.clipboard.write('from the page: \u5b57')");
        await until("the text on the computer", async () => {
          return (await computer.bash("timeout 5 xclip -selection clipboard -o")) === "from the page: \u5b57";
        });
        await computer.bash("printf 'from the computer: \u2702' | xclip -selection clipboard > /dev/null 2>&1");
        // xclip returns before it owns the clipboard.
        await until("the text in the page", async () => {
          return (await page.evaluate("screenChannel.clipboard.read()")) === "from the computer: \u2702";
        });
      });

      test("there are no uncaught errors", async () => assert.deepEqual(await page.uncaught(), []));
    });
  }
}
