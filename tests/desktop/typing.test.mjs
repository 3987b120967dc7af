// Tests that windows of each toolkit receive exactly the typed text, for every set of characters. With ORGO_FULL, runs each
// combination 20 times and prints a table.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Wire } from "../conformance/wire.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { decodePng } from "../support/png.mjs";
import { TestComputer } from "./computer.mjs";
import { sample, setNames } from "./texts.mjs";
import { TypingWindow, windows } from "./windows.mjs";

const ROUNDS = process.env.ORGO_FULL ? 20 : 1;
/** The time after which every toolkit has drawn the typed text, even on a busy machine, in milliseconds. */
const DRAW_TIME = 1_000;
const [SHIFT, CONTROL] = [50, 37];

describe("typing", { concurrency: false }, () => {
  const table = [];
  let desktop;
  let wire;
  let workspace;
  before(async () => {
    desktop = await startDesktop();
    wire = new Wire(desktop.options);
    workspace = (await wire.call("POST", "/workspaces", { name: "typing" })).body.id;
  });
  after(async () => {
    if (process.env.ORGO_FULL) console.table(table);
    await desktop?.stop();
  });

  for (const toolkit of Object.keys(windows)) {
    test(`${toolkit} receives the exact text, and the next screenshot shows it`, { timeout: 1_800_000 }, async () => {
      const computer = await TestComputer.start(wire, workspace, toolkit);
      const window = await TypingWindow.open(computer, toolkit);
      const type = async (text) => {
        const began = performance.now();
        await computer.call("type", { text });
        const took = performance.now() - began;
        const content = await window.contentLike(text);
        await window.empty();
        return { content, took };
      };

      for (const set of setNames) {
        let exact = 0;
        let took = 0;
        for (let round = 0; round < ROUNDS; round += 1) {
          const text = sample(set, round);
          const typed = await type(text);
          assert.equal(typed.content, text, `${set}, round ${round}`);
          exact += 1;
          took += typed.took;
        }
        table.push({ toolkit, set, exact, "ms in the call (mean)": Math.round(took / exact) });
      }

      const locked = sample("accented Latin", 1);
      await computer.press("Caps_Lock");
      assert.equal((await type(locked)).content, locked, "with Caps Lock");
      await computer.press("Caps_Lock");
      for (const modifier of [SHIFT, CONTROL]) {
        const text = sample("accented Latin", modifier);
        await computer.bash(hold(modifier, true));
        assert.equal((await type(text)).content, text, `with the modifier ${modifier} held`);
        await computer.bash(hold(modifier, false));
      }

      // Stops the panel, whose clock would change the screenshots.
      await computer.bash("pkill -STOP tint2");
      for (let round = 0; round < ROUNDS; round += 1) {
        const text = sample("Cyrillic", round);
        await computer.call("type", { text });
        const soon = await computer.screenshot();
        await new Promise((resolve) => setTimeout(resolve, DRAW_TIME));
        const changed = difference(soon, await computer.screenshot());
        assert.equal(changed, undefined, `the screenshot of round ${round} does not show the complete text`);
        assert.equal(await window.contentLike(text), text);
        await window.empty();
      }
      await computer.delete();
    });
  }
});

/** Returns the bounding box of the pixels that differ between two screenshots, or `undefined` if the screenshots are equal. */
function difference(one, other) {
  // The server encodes equal pixels to equal files.
  if (one.equals(other)) return undefined;
  const [first, second] = [decodePng(one), decodePng(other)];
  const [xs, ys] = [[], []];
  for (let y = 0; y < first.height; y += 1) {
    for (let x = 0; x < first.width; x += 1) {
      if (first.pixel(x, y).join() === second.pixel(x, y).join()) continue;
      xs.push(x);
      ys.push(y);
    }
  }
  const edge = (values, pick) => values.reduce((a, b) => pick(a, b));
  return { left: edge(xs, Math.min), right: edge(xs, Math.max), top: edge(ys, Math.min), bottom: edge(ys, Math.max) };
}

/** Returns a command that presses or releases a key directly, without the desktop server. */
function hold(code, down) {
  return `python3 - <<'END'
import ctypes
x, test = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
display = ctypes.c_void_p(x.XOpenDisplay(None))
test.XTestFakeKeyEvent(display, ${code}, ${Number(down)}, 0)
x.XSync(display, 0)
END`;
}
