// Tests the input of a view by touch and by pen, and views whose pixels are those of the display.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Wire } from "../conformance/wire.mjs";
import { TestComputer } from "../desktop/computer.mjs";
import { PointerWindow } from "../desktop/pointer-window.mjs";
import { buildPage } from "../support/build-page.mjs";
import { startAccelerated, startChromium } from "../support/chromium.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { startPages } from "../support/pages.mjs";
import { decodePng } from "../support/png.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 120_000 };
/** A window without input whose neighboring pixels differ, so that every scaling changes it. */
const NOISE_WINDOW = `
import random
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QImage, QPainter
from PyQt5.QtWidgets import QApplication, QWidget
application = QApplication([])
screen = application.primaryScreen().geometry()
width, height = screen.width(), screen.height()
random.seed(7)
image = QImage(random.randbytes(width * height * 4), width, height, width * 4, QImage.Format_RGB32)
class Window(QWidget):
    def paintEvent(self, event):
        QPainter(self).drawImage(0, 0, image)
window = Window()
window.setWindowFlags(Qt.X11BypassWindowManagerHint | Qt.WindowTransparentForInput)
window.setGeometry(screen)
window.show()
application.exec()
`;

const folder = mkdtempSync(join(tmpdir(), "orgo-screen-input-"));
let browser, computer, desktop, pages, window, wire;

before(async () => {
  await buildPage(new URL("screen-page/", import.meta.url), folder);
  pages = await startPages(() => folder, {});
  desktop = await startDesktop({ allowOrigins: [pages.origin] });
  wire = new Wire(desktop.options);
  const workspace = (await wire.call("POST", "/workspaces", { name: "input" })).body.id;
  computer = await TestComputer.start(wire, workspace, "input");
  window = await PointerWindow.open(computer);
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await desktop?.stop();
  await pages?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens a page with a view of this size, in CSS pixels, at the top left. `prepare` is called before the page is loaded. */
async function openView({ width, height, options, prepare, start = () => browser.newPage({ hasTouch: true }) }) {
  const page = await start();
  await prepare?.(page);
  await page.goto(pages.origin);
  const { id, instance_id } = await computer.show();
  const { password } = (await wire.call("GET", `/computers/${id}/vnc-password`)).body;
  const connection = { version: 1, computer_id: id, instance_id, password, realtime_url: desktop.options.realtimeUrl };
  await page.evaluate((connection) => globalThis.open(connection), connection);
  await page.evaluate(
    ({ width, height, options }) => {
      const style = { position: "absolute", left: "0", top: "0", width: `${width}px`, height: `${height}px` };
      Object.assign(document.querySelector("#screen").style, style);
      globalThis.attach(options);
    },
    { width, height, options },
  );
  await until("the first image", () => page.evaluate(() => document.querySelector("#screen canvas").width === 1280));
  return page;
}

describe("a view on a touch screen", { concurrency: false }, () => {
  let cdp, page;
  before(async () => {
    page = await openView({ width: 640, height: 360 });
    cdp = await page.context().newCDPSession(page);
  });
  after(() => page?.close());

  /** Reports the fingers that are on the display, at their positions in CSS pixels. */
  const touch = (type, ...fingers) =>
    cdp.send("Input.dispatchTouchEvent", { type, touchPoints: fingers.map(([x, y], id) => ({ x, y, id })) });
  const tap = async (x, y) => {
    await touch("touchStart", [x, y]);
    await touch("touchEnd");
  };
  /** Returns the events of a gesture. A key after the gesture proves that nothing else was sent. */
  const events = async () => {
    await page.evaluate(() => globalThis.screenChannel.key("m"));
    return (await window.seen((seen) => seen.some(({ text }) => text === "m"))).filter(({ kind }) => kind !== "key");
  };
  const expect = async (expected) => {
    const seen = (await events()).map(({ kind, button = "", x, y }) => `${kind} ${button} ${x} ${y}`);
    assert.deepEqual(seen, expected);
  };

  test("a tap is a click, and two taps are a double click", LIMIT, async () => {
    await tap(200, 150);
    await expect(["down left 400 300", "up left 400 300"]);
    await tap(100, 50);
    await tap(100, 50);
    await expect(["down left 200 100", "up left 200 100", "double left 200 100", "up left 200 100"]);
  });

  test("a long press is a right click", LIMIT, async () => {
    await touch("touchStart", [120, 60]);
    await until("the click", async () => (await page.evaluate(() => globalThis.screenChannel.pointer?.x)) === 240);
    await touch("touchEnd");
    await expect(["down right 240 120", "up right 240 120"]);
  });

  test("a tap with two fingers is a right click", LIMIT, async () => {
    await touch("touchStart", [100, 50]);
    await touch("touchStart", [100, 50], [140, 50]);
    await touch("touchEnd");
    await expect(["down right 200 100", "up right 200 100"]);
  });

  test("a movement with one finger is a drag from its first point", LIMIT, async () => {
    await touch("touchStart", [100, 50]);
    await touch("touchMove", [104, 50]);
    await touch("touchMove", [130, 60]);
    // The X server reports only the last of the moves that it reads together.
    await until("the drag", async () => (await window.held()).startsWith("256 "));
    await touch("touchMove", [150, 70]);
    await touch("touchEnd");
    await expect(["down left 200 100", "drag  260 120", "drag  300 140", "up left 300 140"]);
  });

  test("a drag that the browser cancels releases the button", LIMIT, async () => {
    await touch("touchStart", [100, 50]);
    await touch("touchMove", [130, 60]);
    await until("the drag", async () => (await window.held()).startsWith("256 "));
    await touch("touchCancel");
    await until("the release", async () => (await window.held()) === "0 []");
    await expect(["down left 200 100", "drag  260 120", "up left 260 120"]);
  });

  test("a movement with two fingers turns the wheel, and a pinch does not", LIMIT, async () => {
    await touch("touchStart", [100, 200]);
    await touch("touchStart", [100, 200], [140, 200]);
    for (let at = 1; at <= 6; at += 1) await touch("touchMove", [100, 200 - 20 * at], [140, 200 - 20 * at]);
    await touch("touchEnd");
    const wheel = await events();
    assert.ok(
      wheel.every(({ kind }) => kind === "wheel"),
      JSON.stringify(wheel),
    );
    // 120 pixels are four steps of 30 pixels.
    assert.equal(
      wheel.reduce((sum, { steps }) => sum + steps, 0),
      -4,
    );

    await touch("touchStart", [200, 200]);
    await touch("touchStart", [200, 200], [240, 200]);
    for (let at = 1; at <= 6; at += 1) await touch("touchMove", [200 - 10 * at, 200], [240 + 10 * at, 200]);
    await touch("touchEnd");
    await expect([]);
  });

  test("a pen presses, drags and releases like a mouse", LIMIT, async () => {
    const pen = (type, x, y, buttons) =>
      cdp.send("Input.dispatchMouseEvent", {
        type,
        x,
        y,
        button: "left",
        buttons,
        clickCount: 1,
        pointerType: "pen",
        force: 0.5,
      });
    const types = await page.evaluate(() => {
      globalThis.pointerTypes = [];
      document
        .querySelector("#screen")
        .addEventListener("pointerdown", ({ pointerType }) => globalThis.pointerTypes.push(pointerType));
      return globalThis.pointerTypes;
    });
    assert.deepEqual(types, []);
    await pen("mousePressed", 100, 50, 1);
    await until("the press", async () => (await window.held()).startsWith("256 "));
    await pen("mouseMoved", 150, 70, 1);
    await pen("mouseReleased", 150, 70, 0);
    await expect(["down left 200 100", "drag  300 140", "up left 300 140"]);
    assert.deepEqual(await page.evaluate(() => globalThis.pointerTypes), ["pen"]);
  });

  test("a screen that is larger than its view is scrolled with two fingers", LIMIT, async () => {
    await page.evaluate(() => (globalThis.screenView.scale = "1:1"));
    const scrolled = () =>
      page.evaluate(() => {
        const { scrollLeft, scrollTop } = document.querySelector("#screen canvas").parentElement;
        return [scrollLeft, scrollTop];
      });
    await touch("touchStart", [300, 200]);
    await touch("touchStart", [300, 200], [340, 200]);
    for (let at = 1; at <= 10; at += 1) await touch("touchMove", [300 - 15 * at, 200 - 10 * at], [340 - 15 * at, 200 - 10 * at]);
    await touch("touchEnd");
    assert.deepEqual(await scrolled(), [150, 100]);
    await tap(20, 30);
    await expect(["down left 170 130", "up left 170 130"]);
    // At its end, the view does not move, so the movement reaches the computer.
    await page.evaluate(() => document.querySelector("#screen canvas").parentElement.scrollTo(10_000, 10_000));
    await touch("touchStart", [300, 200]);
    await touch("touchStart", [300, 200], [340, 200]);
    for (let at = 1; at <= 6; at += 1) await touch("touchMove", [300, 200 - 20 * at], [340, 200 - 20 * at]);
    await touch("touchEnd");
    const seen = await window.seen((seen) => seen.some(({ kind }) => kind === "wheel"));
    assert.ok(seen.every(({ kind }) => kind === "wheel"));
    // Without input, one finger is enough.
    await page.evaluate(() => {
      globalThis.screenView.input = false;
      document.querySelector("#screen canvas").parentElement.scrollTo(0, 0);
    });
    await touch("touchStart", [300, 200]);
    for (let at = 1; at <= 10; at += 1) await touch("touchMove", [300, 200 - 10 * at]);
    await touch("touchEnd");
    await until("the scrolled view", async () => (await scrolled())[1] > 20);
  });
});

describe("a view in a page that changes", { concurrency: false }, () => {
  let page;
  before(async () => {
    page = await openView({ width: 640, height: 360 });
  });
  after(() => page?.close());

  /** Returns the position of the view's content, and of its field for the text. */
  const layout = () =>
    page.evaluate(() => {
      const root = document.querySelector("#screen canvas").parentElement;
      const { x, y } = root.querySelector("textarea").getBoundingClientRect();
      return { scrolled: [root.scrollLeft, root.scrollTop], field: [x, y].map(Math.round) };
    });
  const compose = async () => {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Input.imeSetComposition", { text: "n", selectionStart: 1, selectionEnd: 1 });
    const found = await layout();
    await cdp.send("Input.imeSetComposition", { text: "", selectionStart: 0, selectionEnd: 0 });
    return found;
  };

  const hiding = {
    "is not displayed": () => {
      document.querySelector("#screen").style.display = "none";
    },
    "is removed from the page": () => document.querySelector("#screen").remove(),
    "is in a frame that is removed": () => document.querySelector("iframe").remove(),
  };
  for (const [what, hide] of Object.entries(hiding)) {
    test(`a view that ${what} releases everything`, LIMIT, async () => {
      const page = await openView({ width: 640, height: 360 });
      if (what.includes("frame")) {
        await page.evaluate(() => {
          globalThis.screenView.detach();
          const frame = document.createElement("iframe");
          Object.assign(frame.style, { position: "absolute", left: "0", top: "0", border: "0", width: "700px", height: "400px" });
          document.body.append(frame);
          globalThis.screenChannel.attach(frame.contentDocument.body);
        });
      }
      await page.mouse.move(100, 100);
      await page.mouse.down();
      await page.keyboard.down("Shift");
      await until("the key and the button", async () => /^257 \[\d+\]$/.test(await window.held()));
      await page.evaluate(hide);
      await until("the release", async () => (await window.held()) === "0 []");
      await page.close();
    });
  }

  test("a touch that ended while the view was hidden does not block the next tap", LIMIT, async () => {
    const page = await openView({ width: 640, height: 360 });
    const cdp = await page.context().newCDPSession(page);
    const touch = (type, ...touchPoints) => cdp.send("Input.dispatchTouchEvent", { type, touchPoints });
    const display = (value) => page.evaluate((value) => (document.querySelector("#screen").style.display = value), value);
    await window.seen(() => true);
    await touch("touchStart", { x: 100, y: 50 });
    await display("none");
    await touch("touchEnd");
    await display("block");
    await until("the view", () => page.evaluate(() => document.elementFromPoint(200, 150)?.localName === "canvas"));
    await touch("touchStart", { x: 200, y: 150 });
    await touch("touchEnd");
    const seen = await window.seen((seen) => seen.some(({ kind, x }) => kind === "up" && x === 400));
    assert.deepEqual(
      seen.filter(({ kind }) => kind !== "drag").map(({ kind, button, x, y }) => `${kind} ${button} ${x} ${y}`),
      ["down left 400 300", "up left 400 300"],
    );
    await page.close();
  });

  test("a large movement of the wheel does not affect later ones", LIMIT, async () => {
    await window.seen(() => true);
    const turn = (deltaX, deltaY) =>
      page.evaluate(
        ([deltaX, deltaY]) => {
          const position = { clientX: 100, clientY: 100, bubbles: true, cancelable: true };
          document.querySelector("#screen canvas").dispatchEvent(new WheelEvent("wheel", { deltaX, deltaY, ...position }));
        },
        [deltaX, deltaY],
      );
    await turn(0, 1_000_000);
    await turn(0, 100);
    await turn(100, 0);
    await page.evaluate(() => globalThis.screenChannel.key("m"));
    const seen = await window.seen((seen) => seen.some(({ text }) => text === "m"));
    const sum = (name) => seen.reduce((sum, { kind, [name]: steps }) => sum + (kind === "wheel" ? steps : 0), 0);
    assert.deepEqual([sum("steps"), sum("sideways")], [-101, -1]);
  });

  test("a notch of the wheel is one step, however many pixels it has", LIMIT, async () => {
    await window.seen(() => true);
    for (const [name, event, turns, expected] of [
      ["Chromium on Linux", { deltaY: 120, wheelDeltaY: -120 }, 5, -5],
      ["Chromium on Linux at a zoom of 200 %", { deltaY: 60, wheelDeltaY: -60 }, 4, -4],
      ["Chromium at a zoom of 150 %", { deltaY: -66.6, wheelDeltaY: 120 }, 5, 5],
      ["WebKit for GTK", { deltaY: 81, wheelDeltaY: -120 }, 5, -5],
      ["two notches in one event", { deltaY: 162, wheelDeltaY: -240 }, 2, -4],
      ["a touchpad", { deltaY: 40, wheelDeltaY: -120 }, 5, -2],
    ]) {
      await page.evaluate(
        ([event, turns]) => {
          const position = { clientX: 100, clientY: 100, bubbles: true, cancelable: true };
          const canvas = document.querySelector("#screen canvas");
          for (let turn = 0; turn < turns; turn += 1) canvas.dispatchEvent(new WheelEvent("wheel", { ...event, ...position }));
          globalThis.screenChannel.key("m");
        },
        [event, turns],
      );
      const seen = await window.seen((seen) => seen.some(({ text }) => text === "m"));
      const turned = seen.reduce((sum, { kind, steps }) => sum + (kind === "wheel" ? steps : 0), 0);
      assert.equal(turned, expected, name);
    }
  });

  test("an input method does not scroll a view that has become smaller", LIMIT, async () => {
    await page.mouse.click(630, 350);
    await page.evaluate(() => Object.assign(document.querySelector("#screen").style, { width: "320px", height: "180px" }));
    const { scrolled, field } = await compose();
    assert.deepEqual(scrolled, [0, 0]);
    assert.ok(field[0] < 320 && field[1] < 180, `the field is inside the view: ${field}`);
    await page.evaluate(() => Object.assign(document.querySelector("#screen").style, { width: "640px", height: "360px" }));
  });

  test("an input method is at the pointer, also in a view that is scrolled", LIMIT, async () => {
    await page.evaluate(() => {
      globalThis.screenView.scale = "1:1";
      document.querySelector("#screen canvas").parentElement.scrollTo(500, 300);
    });
    await page.mouse.click(50, 60);
    const expected = { scrolled: [500, 300], field: [50, 60] };
    assert.deepEqual(await compose(), expected);
    await page.evaluate(() => document.querySelector("#screen canvas").parentElement.scrollTo(100, 50));
    await until("the field in the scrolled view", async () => String((await layout()).field) === "50,60");
    assert.deepEqual(await compose(), { ...expected, scrolled: [100, 50] });
    await page.evaluate(() => (globalThis.screenView.scale = "fit"));
  });

  for (const style of ["transform: scale(1.5)", "zoom: 1.5"]) {
    test(`an input method is at the pointer, also in a view with the style "${style}"`, LIMIT, async () => {
      const place = (text) => page.evaluate((text) => (document.querySelector("#screen").style.cssText += text), `;${text}`);
      await place(`${style}; transform-origin: 0 0`);
      await page.mouse.click(600, 300);
      assert.deepEqual((await layout()).field, [600, 300]);
      await place("transform: none; zoom: 1");
    });
  }

  test("a screen that is larger than its view starts at its left side, also in a page from right to left", LIMIT, async () => {
    await page.evaluate(() => {
      document.documentElement.dir = "rtl";
      globalThis.screenView.scale = "1:1";
    });
    await page.mouse.move(20, 30);
    assert.deepEqual(await page.evaluate(() => globalThis.screenChannel.pointer), { x: 20, y: 30 });
    await page.evaluate(() => {
      document.documentElement.dir = "ltr";
      globalThis.screenView.scale = "fit";
    });
  });

  /** Returns the texts of the keys that arrive before the text. */
  const textsUntil = async (last) => {
    const seen = await window.seen((seen) => seen.some(({ text }) => text === last));
    return seen.map(({ text = "" }) => text).filter((text) => text !== "" && text !== last);
  };

  test("a button that was pressed outside the view is not pressed on the computer", LIMIT, async () => {
    await window.seen(() => true);
    await page.mouse.move(700, 400);
    await page.mouse.down();
    await page.mouse.move(300, 200, { steps: 4 });
    await page.mouse.up();
    await page.mouse.down({ button: "right" });
    // Another button, while one is held.
    await page.mouse.down({ button: "middle" });
    await page.mouse.up({ button: "right" });
    await page.mouse.up({ button: "middle" });
    const seen = await window.seen((seen) => seen.filter(({ kind }) => kind === "up").length >= 2);
    assert.deepEqual(
      seen.filter(({ kind }) => kind !== "drag").map(({ kind, button }) => `${kind} ${button}`),
      ["down right", "down middle", "up right", "up middle"],
    );
  });

  test("keys that have no code are released", LIMIT, async () => {
    await page.evaluate(() => globalThis.screenView.focus());
    const cdp = await page.context().newCDPSession(page);
    const send = (type, key, text) => cdp.send("Input.dispatchKeyEvent", { type, key, code: "", text });
    for (const key of ["a", "b"]) await send("keyDown", key, key);
    for (const key of ["a", "b"]) await send("keyUp", key);
    await send("rawKeyDown", "Shift");
    await until("the Shift key", async () => (await window.held()) === "1 [50]");
    await send("keyUp", "Shift");
    await page.evaluate(() => globalThis.screenChannel.key("m"));
    assert.deepEqual(await textsUntil("m"), ["a", "b"]);
    assert.equal(await window.held(), "0 []");
  });

  test("keys that change their character while they are held are released", LIMIT, async () => {
    await page.evaluate(() => globalThis.screenView.focus());
    const cdp = await page.context().newCDPSession(page);
    const send = (type, key, code, modifiers, more) =>
      cdp.send("Input.dispatchKeyEvent", { type, key, code, modifiers, ...(type === "keyDown" && { text: key }), ...more });
    // A screen holds at most 64 keys.
    for (const letter of "abcdefghijklmnopqrstuvwxyz") {
      const [small, code] = [letter, `Key${letter.toUpperCase()}`];
      for (const [before, after] of [
        [small, small.toUpperCase()],
        [small.toUpperCase(), small],
        ["\u00e0", "\u00e8"],
      ]) {
        await send("keyDown", before, code, 0);
        await send("keyDown", after, code, 0, { autoRepeat: true });
        await send("keyUp", after, code, 0);
      }
    }
    for (let code = 0xc0; code <= 0xd6; code += 1) {
      await send("keyDown", String.fromCharCode(code), "KeyA", 0);
      await send("keyDown", "a", "KeyA", 0, { autoRepeat: true });
      await send("keyUp", "a", "KeyA", 0);
    }
    await page.keyboard.press("Enter");
    await textsUntil("\r");
    assert.equal(await window.held(), "0 []");
  });

  test("a deletion that a touch screen reports without its key reaches the computer", LIMIT, async () => {
    await page.evaluate(() => globalThis.screenView.focus());
    const cdp = await page.context().newCDPSession(page);
    const unidentified = { key: "Unidentified", code: "", windowsVirtualKeyCode: 229 };
    for (const command of ["deleteBackward", "deleteForward"]) {
      await cdp.send("Input.dispatchKeyEvent", { type: "rawKeyDown", commands: [command], ...unidentified });
      await cdp.send("Input.dispatchKeyEvent", { type: "keyUp", ...unidentified });
    }
    await page.evaluate(() => globalThis.screenChannel.key("m"));
    assert.deepEqual(await textsUntil("m"), ["\b", "\x7f"]);
  });

  test("control characters in a text have no keys", LIMIT, async () => {
    const cdp = await page.context().newCDPSession(page);
    await window.seen(() => true);
    await cdp.send("Input.insertText", { text: "a\0b\x01\x1b\tc\n" });
    const seen = await window.seen((seen) => seen.some(({ text }) => text === "\r"));
    assert.deepEqual(
      seen.map(({ text }) => text),
      ["a", "b", "\t", "c", "\r"],
    );
  });

  test("parameters can be objects of a framework, such as proxies", LIMIT, async () => {
    await window.seen(() => true);
    const size = await page.evaluate(async () => {
      const observed = (value) => new Proxy(value, {});
      globalThis.screenChannel.drag({ path: observed([observed({ x: 10, y: 20 }), observed({ x: 30, y: 40 })]) });
      const region = observed({ x: 0, y: 0, width: 7, height: 5 });
      const { width, height, format } = await globalThis.screenChannel.screenshot({ region, format: null });
      return { width, height, format };
    });
    assert.deepEqual(size, { width: 7, height: 5, format: "png" });
    const seen = await window.seen((seen) => seen.some(({ kind }) => kind === "up"));
    assert.deepEqual([seen[0].x, seen.at(-1).x], [10, 30]);
  });
});

test("characters that the keymap does not have arrive also after a key of the API", LIMIT, async () => {
  const page = await openView({ width: 640, height: 360 });
  const cdp = await page.context().newCDPSession(page);
  await page.evaluate(() => globalThis.screenView.focus());
  // Each character is new.
  for (const text of ["\u0416\u03bb", "\u00fc\u20ac", "\u044e"]) {
    await computer.press("z");
    await cdp.send("Input.insertText", { text });
    const seen = await window.seen((seen) => seen.filter(({ kind, text }) => kind === "key" && text !== "").length > text.length);
    assert.equal(seen.map(({ text = "" }) => text).join(""), `z${text}`);
  }
  await page.close();
});

for (const [what, isMoved] of [
  ["attached to", false],
  ["moved to", true],
]) {
  test(`a view that is ${what} another window follows that window`, LIMIT, async () => {
    const prepare = (page) => page.addInitScript("globalThis.openWindow = open.bind(globalThis)");
    const page = await openView({ width: 640, height: 360, prepare });
    const opened = page.waitForEvent("popup");
    await page.evaluate((isMoved) => {
      const { document: other } = globalThis.openWindow("about:blank", "other", "width=700,height=400");
      other.body.style.margin = "0";
      other.body.append(document.querySelector("#screen"));
      if (isMoved) return;
      globalThis.screenView.detach();
      const element = other.createElement("div");
      Object.assign(element.style, { width: "640px", height: "360px" });
      other.body.replaceChildren(element);
      globalThis.screenChannel.attach(element);
    }, isMoved);
    const other = await opened;
    // A headless Chromium has no hidden tabs, so the page reports what a hidden tab would report.
    const hide = (page, hidden) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "visibilityState", { value: hidden ? "hidden" : "visible", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await window.seen(() => true);
    await other.mouse.move(100, 100);
    await other.mouse.down();
    await other.keyboard.down("Shift");
    await until("the key and the button", async () => (await window.held()) === "257 [50]");
    if (isMoved) {
      await hide(other, true);
      await until("the release", async () => (await window.held()) === "0 []");
      await page.close();
      return;
    }
    await hide(page, true);
    await page.evaluate(() => globalThis.screenChannel.key("m"));
    await window.seen((seen) => seen.some(({ text }) => text?.toLowerCase() === "m"));
    assert.equal(await window.held(), "257 [50]", "nothing is released while the other window is visible");
    await hide(other, true);
    await until("the release", async () => (await window.held()) === "0 []");
    await page.close();
  });
}

test("a view shows the screen again after the graphics process has failed", LIMIT, async () => {
  const { width, height } = { width: 640, height: 360 };
  // A software renderer in the graphics process.
  const flags = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"];
  const accelerated = await startAccelerated([...flags, "--enable-gpu-rasterization"]);
  try {
    const page = await openView({ width, height, start: () => accelerated.newPage() });
    const session = await accelerated.newBrowserCDPSession();
    const graphics = async () => {
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      return processInfo.find(({ type }) => type === "GPU")?.id;
    };
    const { gpu } = await session.send("SystemInfo.getInfo");
    assert.equal(gpu.featureStatus["2d_canvas"], "enabled");
    const shown = async () => String(decodePng(await page.screenshot()).pixel(320, 300));
    const color = await shown();
    assert.notEqual(color, "0,0,0");
    const failed = await graphics();
    process.kill(failed, "SIGKILL");
    await until("the next graphics process", async () => ![undefined, failed].includes(await graphics()));
    await until("the screen", async () => (await shown()) === color, 30_000);
    // The page may have shown the last image of the previous process.
    await page.evaluate(() => Object.assign(document.querySelector("#screen").style, { width: "641px" }));
    assert.equal(await page.evaluate(() => globalThis.color(640, 600)), color);
  } finally {
    await accelerated.close();
  }
});

const FOREIGN = {
  "a page": { body: "<!doctype html>", contentType: "text/html" },
  "another module": { body: Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), contentType: "application/wasm" },
};
for (const [what, file] of Object.entries(FOREIGN)) {
  test(`if the URL of the module leads to ${what}, the embedded copy is used`, LIMIT, async () => {
    let requests = 0;
    const prepare = (page) =>
      page.route("**/*.wasm", (route) => {
        requests += 1;
        return route.fulfill(file);
      });
    const page = await openView({ width: 640, height: 360, prepare });
    assert.ok(requests > 0);
    await page.close();
  });
}

describe("a view whose pixels are those of the display", { concurrency: false }, () => {
  before(() => computer.bash(`cat > /tmp/noise.py <<'END'${NOISE_WINDOW}END\nsetsid python3 /tmp/noise.py >/tmp/log3 2>&1 &`));

  /** Returns the number of pixels of the display that differ from those of the computer, apart from the pointer. */
  const differences = async (page) => {
    const images = [await computer.screenshot(), await page.screenshot({ scale: "device" })].map((png) => png.toString("base64"));
    return page.evaluate(async (images) => {
      const [expected, shown] = await Promise.all(
        images.map(async (image) => {
          const bitmap = await createImageBitmap(
            new Blob([Uint8Array.from(atob(image), (character) => character.charCodeAt(0))]),
          );
          const context = new OffscreenCanvas(1280, 720).getContext("2d");
          context.drawImage(bitmap, 0, 0);
          return new Uint32Array(context.getImageData(0, 0, 1280, 720).data.buffer);
        }),
      );
      const isPointer = (at) => at % 1280 < 40 && at < 40 * 1280;
      return expected.reduce((count, pixel, at) => count + (pixel !== shown[at] && !isPointer(at)), 0);
    }, images);
  };

  for (const ratio of [1, 1.5, 2, 3]) {
    test(`it is sharp, and the pointer is exact, at the pixel ratio ${ratio}`, LIMIT, async () => {
      // Not an emulated ratio, which does not change the layout of the page.
      const size = [1280, 720].map((side) => Math.ceil(side / ratio) + 200);
      const dense = await startChromium([`--force-device-scale-factor=${ratio}`, `--window-size=${size}`]);
      try {
        const start = () => dense.newPage({ viewport: null });
        const page = await openView({ start, width: 1280 / ratio, height: 720 / ratio, options: { scale: "1:1" } });
        assert.equal(await page.evaluate(() => devicePixelRatio), ratio);
        // The first move hides the pointer that the server draws into the screen.
        await page.mouse.move(1, 1);
        await until("every pixel", async () => (await differences(page)) === 0, 60_000);
        for (const [x, y] of [
          [0, 0],
          [1, 2],
          [641, 359],
          [1278, 718],
          [1279, 719],
          ...Array.from({ length: 24 }, (_, at) => [(at * 379 + 5) % 1280, (at * 211 + 3) % 720]),
        ]) {
          for (const within of [0.05, 0.5, 0.95]) {
            await page.mouse.move((x + within) / ratio, (y + within) / ratio);
            const pointer = () => page.evaluate(() => globalThis.screenChannel.pointer);
            assert.deepEqual(await pointer(), { x, y }, `${within} of the pixel`);
          }
        }
      } finally {
        await dense.close();
      }
    });
  }
});
