// Tests the live screen in a page: the view in a worker, and in the page if workers are forbidden.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Wire } from "../conformance/wire.mjs";
import { TestComputer } from "../desktop/computer.mjs";
import { PointerWindow } from "../desktop/pointer-window.mjs";
import { buildPage } from "../support/build-page.mjs";
import { startBrowser } from "../support/cdp.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { startGate } from "../support/gate.mjs";
import { startPages } from "../support/pages.mjs";
import { decodePng } from "../support/png.mjs";
import { until } from "../support/wait.mjs";

const NOTHING = "0 []";
/** A window of 100 x 100 pixels whose color is the content of a file. */
const COLOR_WINDOW = `
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QApplication, QWidget
application = QApplication([])
window = QWidget()
window.setWindowFlags(Qt.X11BypassWindowManagerHint)
window.setGeometry(1100, 600, 100, 100)
def follow():
    color = open("/tmp/color").read().strip()
    if color != window.property("color"):
        window.setProperty("color", color)
        window.setStyleSheet("background: " + color)
    window.raise_()
timer = QTimer()
timer.timeout.connect(follow)
timer.start(5)
window.show()
application.exec()
`;
/** Changes the color of the window quickly, and finally to the argument. */
const BURST = `
import os, sys, time
for color in [f"{red:02x}0000" for red in range(100, 160)] + [sys.argv[1]]:
    with open("/tmp/color.new", "w") as file:
        file.write("#" + color)
    os.rename("/tmp/color.new", "/tmp/color")
    time.sleep(0.004)`;
/** How pages are served, and the number of workers that an open screen has. */
const MODES = {
  "in a worker": { serve: {}, workers: 1 },
  "in the page, because the policy forbids workers": { serve: { workers: "'none'" }, workers: 0 },
};

const folder = mkdtempSync(join(tmpdir(), "orgo-screen-"));
/** The type of RFB messages that keep a connection alive. A busy machine is so slow that the test sees several of them. */
const FENCE = 248;

let browser, computer, desktop, gate, window, wire;
/** The number of other messages from the pages. */
let messages = 0;
const pages = {};

before(async () => {
  await buildPage(new URL("screen-page/", import.meta.url), folder);
  for (const [mode, { serve }] of Object.entries(MODES)) pages[mode] = await startPages(() => folder, serve);
  desktop = await startDesktop({ allowOrigins: Object.values(pages).map(({ origin }) => origin) });
  gate = await startGate(desktop.options.baseUrl, ([type]) => {
    if (type !== FENCE) messages += 1;
  });
  wire = new Wire(desktop.options);
  const workspace = (await wire.call("POST", "/workspaces", { name: "screen" })).body.id;
  computer = await TestComputer.start(wire, workspace, "screen");
  window = await PointerWindow.open(computer);
  await computer.bash(
    `printf '#000000' > /tmp/color; cat > /tmp/color.py <<'END'${COLOR_WINDOW}END\nsetsid python3 /tmp/color.py >/tmp/log2 2>&1 &`,
  );
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await gate?.close();
  await desktop?.stop();
  for (const { close } of Object.values(pages)) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** Changes the color of the window, and waits until a screenshot shows it. */
async function paint(color) {
  await computer.bash(`printf '#%s' ${color} > /tmp/color.new && mv /tmp/color.new /tmp/color`);
  const expected = [0, 2, 4].map((at) => Number.parseInt(color.slice(at, at + 2), 16)).join();
  await until(`the color ${color}`, async () => String(decodePng(await computer.screenshot()).pixel(1150, 650)) === expected);
  return expected;
}

/** Waits until the pages send no requests while the screen changes. */
async function requestsToEnd() {
  await until(
    "the requests to end",
    async () => {
      const before = messages;
      for (const color of ["203040", "304050", "203040", "304050"]) await paint(color);
      return messages === before;
    },
    60_000,
  );
}

/** Returns a connection to the computer, through the gate. */
async function connection() {
  const { id, instance_id } = await computer.show();
  const { password } = (await wire.call("GET", `/computers/${id}/vnc-password`)).body;
  const realtime_url = gate.through(desktop.options.realtimeUrl);
  return { version: 1, computer_id: id, instance_id, password, realtime_url };
}

for (const [mode, { workers }] of Object.entries(MODES)) {
  describe(`a live screen ${mode}`, { concurrency: false }, () => {
    const failures = [];
    let cdp, page;
    before(async () => {
      page = await browser.newPage({ viewport: { width: 800, height: 600 } });
      cdp = await page.context().newCDPSession(page);
      await page.exposeFunction("typeText", (text) => computer.call("type", { text }));
      page.on("pageerror", (error) => failures.push(error.stack));
      await page.goto(pages[mode].origin);
    });
    after(() => page?.close());

    /** Returns the number of shown pixels that differ from a screenshot, apart from the pointer. */
    const differences = async (pointer) => {
      const png = (await computer.screenshot()).toString("base64");
      return page.evaluate(([png, pointer]) => globalThis.differences(png, pointer), [png, pointer]);
    };
    const texts = async (count) =>
      (await window.seen((seen) => seen.filter(({ kind, text }) => kind === "key" && text !== "").length >= count))
        .map(({ text }) => text)
        .filter((text) => text !== undefined && text !== "");

    test("it shows the pixels of the computer", { timeout: 120_000 }, async () => {
      await page.evaluate((connection) => globalThis.open(connection), await connection());
      await page.evaluate(() => globalThis.attach());
      assert.equal(page.workers().length, workers);
      // The first move hides the pointer that the server draws into the screen.
      await page.mouse.move(300, 200);
      const pointer = { x: 570, y: 370, width: 60, height: 60 };
      await until("the same pixels as in a screenshot", async () => (await differences(pointer)) === 0);
    });

    test("the mouse is passed, in the pixels of the computer", { timeout: 120_000 }, async () => {
      await page.mouse.click(150, 100);
      await page.mouse.click(150, 100, { button: "right" });
      await page.mouse.click(150, 100, { button: "middle" });
      await page.mouse.move(50, 50);
      await page.mouse.down();
      await page.mouse.move(60, 70);
      await page.mouse.up();
      const seen = await window.seen((seen) => seen.filter(({ kind }) => kind === "up").length >= 4);
      assert.deepEqual(
        seen.filter(({ kind }) => kind !== "key").map(({ kind, button = "", x, y }) => `${kind} ${button} ${x} ${y}`),
        [
          "down left 300 200",
          "up left 300 200",
          "down right 300 200",
          "up right 300 200",
          "down middle 300 200",
          "up middle 300 200",
          "down left 100 100",
          "drag  120 140",
          "up left 120 140",
        ],
      );
    });

    test("the counters are current soon after a program reads them", { timeout: 120_000 }, async () => {
      const received = () => page.evaluate(() => globalThis.screenChannel.counters.received);
      const before = await received();
      await paint("203050");
      await until("an update", async () => (await received()) > before);
      // Without a view, a host does not send them from time to time.
      await page.evaluate(() => globalThis.screenView.detach());
      const messages = () => page.evaluate(() => globalThis.screenChannel.counters.sent_messages);
      const sent = await messages();
      await page.evaluate(() => globalThis.screenChannel.move({ x: 700, y: 300 }));
      await until("the message with the move", async () => (await messages()) > sent);
      await page.evaluate(() => globalThis.attach());
    });

    test("the wheel turns both ways", { timeout: 120_000 }, async () => {
      for (const [dx, dy] of [
        [0, 200],
        [0, -100],
        [100, 0],
        [-100, 0],
      ]) {
        await page.mouse.wheel(dx, dy);
      }
      const seen = await window.seen((seen) => seen.filter(({ kind }) => kind === "wheel").length >= 5);
      assert.deepEqual(
        seen.filter(({ kind }) => kind === "wheel").map(({ steps, sideways }) => [sideways, steps]),
        [
          [0, -1],
          [0, -1],
          [0, 1],
          [-1, 0],
          [1, 0],
        ],
      );
    });

    test("keys arrive with the characters of the user's layout", { timeout: 120_000 }, async () => {
      await page.evaluate(() => globalThis.screenView.focus());
      await page.keyboard.type("aB1!");
      await page.keyboard.press("Enter");
      assert.deepEqual(await texts(5), ["a", "B", "1", "!", "\r"]);
    });

    /** Presses and releases a key as the browser reports it, which Playwright cannot do for every layout. */
    const key = async ({ repeats = 0, ...event }) => {
      for (let at = 0; at <= repeats; at += 1) {
        await cdp.send("Input.dispatchKeyEvent", { type: "keyDown", autoRepeat: at > 0, ...event });
      }
      await cdp.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
    };

    test("Caps Lock counts by its effect on the text", { timeout: 120_000 }, async () => {
      await key({ key: "CapsLock", code: "CapsLock" });
      await key({ key: "A", code: "KeyA", text: "A" });
      await page.keyboard.down("Shift");
      await key({ key: "b", code: "KeyB", text: "b", modifiers: 8 });
      await page.keyboard.up("Shift");
      // With Caps Lock, the browser reports Ctrl+C with a capital letter.
      await page.keyboard.down("Control");
      await key({ key: "C", code: "KeyC", modifiers: 2 });
      await page.keyboard.up("Control");
      assert.deepEqual(await texts(3), ["A", "b", "\u0003"]);
      await until("nothing is held", async () => (await window.held()) === NOTHING);
    });

    test("AltGr, another alphabet and a dead key", { timeout: 120_000 }, async () => {
      await cdp.send("Input.dispatchKeyEvent", { type: "keyDown", key: "AltGraph", code: "AltRight" });
      await key({ key: "@", code: "KeyQ", text: "@" });
      await cdp.send("Input.dispatchKeyEvent", { type: "keyUp", key: "AltGraph", code: "AltRight" });
      await page.keyboard.down("Control");
      await key({ key: "\u0441", code: "KeyC", modifiers: 2 });
      await page.keyboard.up("Control");
      // The browser composes the accent and the letter.
      await key({ key: "Dead", code: "BracketLeft" });
      await cdp.send("Input.imeSetComposition", { text: "\u00b4", selectionStart: 1, selectionEnd: 1 });
      await cdp.send("Input.insertText", { text: "\u00e9" });
      assert.deepEqual(await texts(3), ["@", "\u0003", "\u00e9"]);
    });

    test("a held key repeats, and stops when it is released", { timeout: 120_000 }, async () => {
      await key({ key: "k", code: "KeyK", text: "k", repeats: 3 });
      await key({ key: "z", code: "KeyZ", text: "z" });
      assert.deepEqual(await texts(5), ["k", "k", "k", "k", "z"]);
    });

    test("the text of an input method is typed", { timeout: 120_000 }, async () => {
      await page.evaluate(() => {
        globalThis.screenView.detach();
        globalThis.attach({ type: (text) => globalThis.typeText(text) });
        globalThis.screenView.focus();
      });
      for (const text of ["\u306b", "\u306b\u307b"]) {
        await cdp.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
      }
      await cdp.send("Input.insertText", { text: "\u65e5\u672c" });
      assert.equal((await texts(1)).join(""), "\u65e5\u672c");
      await page.keyboard.type("x");
      assert.deepEqual(await texts(1), ["x"]);
    });

    test("Tab belongs to the computer, and a combination of keys leaves the view", { timeout: 120_000 }, async () => {
      const active = () => page.evaluate(() => document.activeElement.id || document.activeElement.tagName);
      const [role, name] = await page.evaluate(() => {
        const { parentElement: root } = document.querySelector("#screen textarea");
        return [root.getAttribute("role"), root.getAttribute("aria-label")];
      });
      assert.deepEqual([role, name], ["application", "The screen of the computer"]);
      await page.evaluate(() => document.querySelector("#before").focus());
      await page.keyboard.press("Tab");
      assert.equal(await active(), "TEXTAREA");
      await page.keyboard.press("Tab");
      assert.equal(await active(), "TEXTAREA");
      assert.deepEqual(await texts(1), ["\t"]);
      for (const modifier of ["Control", "Alt", "Shift"]) await page.keyboard.down(modifier);
      for (const modifier of ["Control", "Alt", "Shift"]) await page.keyboard.up(modifier);
      await page.keyboard.press("Tab");
      assert.equal(await active(), "after");
      await page.keyboard.press("Shift+Tab");
      assert.equal(await active(), "TEXTAREA");
      await until("nothing is held", async () => (await window.held()) === NOTHING);
    });

    test("the invisible caret does not blink, which would paint the page again and again", async () => {
      const animation = await page.evaluate(() => {
        const field = document.querySelector("#screen textarea");
        field.focus();
        return getComputedStyle(field).caretAnimation;
      });
      assert.equal(animation, "manual");
    });

    test("what the view holds is released when the focus leaves", { timeout: 120_000 }, async () => {
      await page.mouse.move(100, 100);
      await page.mouse.down();
      await page.keyboard.down("Shift");
      await page.keyboard.down("KeyX");
      await until("the keys and the button", async () => /^257 \[\d+, \d+\]$/.test(await window.held()));
      await page.evaluate(() => document.querySelector("#after").focus());
      await until("nothing but the button is held", async () => (await window.held()) === "256 []");
      await page.keyboard.up("KeyX");
      await page.keyboard.up("Shift");
      await page.mouse.up();
      await window.seen((seen) => seen.some(({ kind }) => kind === "up"));
      assert.equal(await window.held(), NOTHING);
    });

    test("the screen reconnects after the server was unreachable", { timeout: 120_000 }, async () => {
      await gate.close();
      await until("the state", () => page.evaluate(() => globalThis.screenChannel.state.status === "reconnecting"));
      assert.equal(await page.evaluate(() => globalThis.screenChannel.move({ x: 1, y: 1 })), false);
      const color = await paint("405060");
      await page.evaluate(() => {
        const region = { x: 1150, y: 650, width: 1, height: 1 };
        globalThis.image = globalThis.screenChannel.screenshot({ format: "rgba", region });
      });
      await gate.open();
      // The image that was requested in the meantime is that of the next connection.
      assert.equal(await page.evaluate(async () => [...(await globalThis.image).data.subarray(0, 3)].join()), color);
      await until("the state", () => page.evaluate(() => globalThis.screenChannel.state.status === "open"), 60_000);
      await page.mouse.click(150, 100);
      await window.seen((seen) => seen.some(({ kind }) => kind === "up"));
    });

    const hiding = {
      // A headless Chromium has no hidden tabs, so the page reports what a hidden tab would report.
      "in a hidden tab": (hidden) => {
        Object.defineProperty(document, "visibilityState", { value: hidden ? "hidden" : "visible", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      },
      "outside the visible part of the page": (hidden) => {
        document.body.style.paddingTop = hidden ? "5000px" : "0";
      },
    };
    for (const [where, hide] of Object.entries(hiding)) {
      test(`a view ${where} requests no updates`, { timeout: 120_000 }, async () => {
        await page.evaluate(hide, true);
        await requestsToEnd();
        const color = await paint("a0b0c0");
        await page.evaluate(hide, false);
        await until("the current screen", () => page.evaluate((color) => globalThis.color(1150, 650) === color, color));
        // The updates continue.
        const next = await paint("c0b0a0");
        await until("the next update", () => page.evaluate((color) => globalThis.color(1150, 650) === color, next));
      });
    }

    test("views can be attached again and again without a leak", { timeout: 120_000 }, async () => {
      const count = async () => {
        await cdp.send("HeapProfiler.collectGarbage");
        const { metrics } = await cdp.send("Performance.getMetrics");
        return ["Nodes", "JSEventListeners"].map((name) => metrics.find((metric) => metric.name === name).value);
      };
      await cdp.send("Performance.enable");
      const cycle = () =>
        page.evaluate(async () => {
          globalThis.screenView.detach();
          globalThis.attach({ scale: "1:1" });
          await new Promise((resolve) => requestAnimationFrame(resolve));
        });
      for (let at = 0; at < 3; at += 1) await cycle();
      const before = await count();
      for (let at = 0; at < 20; at += 1) await cycle();
      await until("the nodes and the listeners to be released", async () => {
        const now = await count();
        return now.every((value, at) => value <= before[at]);
      });
    });

    test("wrong elements and values of a view are refused by name", async () => {
      const fields = await page.evaluate(() => {
        const field = (change) => {
          try {
            change();
            return "accepted";
          } catch (error) {
            return error.field;
          }
        };
        const { screenChannel, screenView } = globalThis;
        return [
          field(() => screenChannel.attach(document)),
          field(() => screenChannel.attach(document.createDocumentFragment())),
          field(() => screenChannel.attach(null)),
          field(() => screenChannel.attach(document.createElement("canvas"))),
          field(() => (screenView.scale = "x")),
          field(() => (screenView.input = "no")),
        ];
      });
      assert.deepEqual(fields, ["element", "element", "element", "element", "scale", "input"]);
    });

    test("a view for viewing only is an image", { timeout: 120_000 }, async () => {
      await page.evaluate(() => {
        globalThis.screenView.detach();
        globalThis.attach({ viewOnly: true });
      });
      await page.mouse.click(150, 100);
      await page.evaluate(() => globalThis.screenView.focus());
      await page.keyboard.type("no");
      const role = await page.evaluate(() => document.querySelector("#screen canvas").parentElement.getAttribute("role"));
      assert.equal(role, "img");
      // The next input of the program is the first one that arrives.
      await page.evaluate(() => {
        globalThis.screenChannel.click({ x: 7, y: 8 });
        globalThis.screenChannel.key("y");
      });
      const seen = await window.seen((seen) => seen.some(({ text }) => text === "y"));
      assert.deepEqual(
        seen.map(({ kind, x, text }) => `${kind} ${x ?? text}`),
        ["down 7", "up 7", "key y"],
      );
    });

    test("after a detach, the view and the worker are gone", { timeout: 120_000 }, async () => {
      await page.evaluate(() => globalThis.screenView.detach());
      assert.equal(await page.evaluate(() => document.querySelector("#screen").childElementCount), 0);
      await page.evaluate(() => globalThis.screenChannel.close());
      await until("the worker to end", () => page.workers().length === 0);
      const problems = await page.evaluate(async () => {
        const problem = ({ name, message }) => `${name}: ${message}`;
        const screenshot = await globalThis.screenChannel.screenshot().catch(problem);
        try {
          return [screenshot, globalThis.attach()];
        } catch (error) {
          return [screenshot, problem(error)];
        }
      });
      const closed = (operation) => `ChannelClosedError: ${operation}: the channel is closed (closed)`;
      assert.deepEqual(problems, [closed("screen.screenshot"), closed("screen.attach")]);
    });

    test("there are no uncaught errors", () => assert.deepEqual(failures, []));
  });
}

test("the worker starts before the modules have arrived, and only it runs the connection", { timeout: 120_000 }, async () => {
  const page = await browser.newPage();
  try {
    await page.addInitScript(() => {
      const { instantiate } = WebAssembly;
      globalThis.instances = 0;
      WebAssembly.instantiate = (...parts) => {
        globalThis.instances += 1;
        return instantiate(...parts);
      };
    });
    const started = page.waitForEvent("worker", { timeout: 0 });
    await page.route("**/*.wasm", async (route) => {
      await started;
      await route.continue();
    });
    await page.goto(pages["in a worker"].origin);
    await page.evaluate((connection) => globalThis.open(connection), await connection());
    assert.equal(page.workers().length, 1);
    assert.equal(await page.evaluate(() => globalThis.instances), 1, "the page needs only the module of the screen");
  } finally {
    await page.close();
  }
});

for (const mode of Object.keys(MODES)) {
  test(`a view in another window is drawn although the page that opened it is hidden, ${mode}`, {
    timeout: 120_000,
  }, async () => {
    // Not a page of Playwright, which is always visible.
    const tabs = await startBrowser(["--disable-popup-blocking"]);
    try {
      const page = await tabs.openPage(pages[mode].origin);
      await until("the page", () => page.evaluate("globalThis.attach !== undefined"));
      // With three arguments, this is `window.open`, which the page has replaced.
      await page.evaluate("void (globalThis.popup = document.open('about:blank', 'view', 'popup,width=640,height=400'))");
      await page.evaluate(`globalThis.open(${JSON.stringify(await connection())})`);
      await page.evaluate("globalThis.attach({}, popup.document.body)");
      // Another tab of the same window.
      await tabs.openPage("about:blank");
      const states = () => page.evaluate("[document.visibilityState, popup.document.visibilityState].join()");
      await until("the page to be hidden", async () => (await states()) === "hidden,visible");
      for (const color of ["102030", "203040", "304050", "405060"]) {
        // A blocked page receives the last change right after an earlier one, for which it has just drawn a frame.
        const block = "(() => { for (const end = performance.now() + 1_500; performance.now() < end; ); })()";
        await Promise.all([page.evaluate(block), computer.bash(`python3 -c '${BURST}' ${color}`)]);
        const shown = await paint(color);
        await until(`the color ${color}`, async () => (await page.evaluate("color(1150, 650)")) === shown);
      }
      // The view is hidden with its window.
      await page.evaluate("popup.close()");
      await requestsToEnd();
    } finally {
      await tabs.close();
    }
  });
}
