// Tests shortcuts, text, and drag and drop in a real browser, with common keyboard layouts.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Wire } from "../conformance/wire.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { TestComputer } from "./computer.mjs";
import { KeysPage } from "./keys-page.mjs";

/** The keyboard layouts to test: the arguments of `setxkbmap`, and the group to select. */
const LAYOUTS = [
  ["us", 0],
  ["us intl", 0],
  ["us dvorak", 0],
  ["de", 0],
  ["fr", 0],
  ["ru", 0],
  ["gr", 0],
  ["ara", 0],
  ["us,ru", 1],
  ["ru,us", 0],
];
const TEXT = "abc XYZ 123 /?@#[]{}\\|~^`'\" é Ж € λ م";

describe("keys", { concurrency: false }, () => {
  let desktop;
  let computer;
  let page;
  before(async () => {
    desktop = await startDesktop();
    const wire = new Wire(desktop.options);
    const workspace = (await wire.call("POST", "/workspaces", { name: "keys" })).body.id;
    computer = await TestComputer.start(wire, workspace, "keys");
    page = await KeysPage.open(computer);
  });
  after(() => desktop?.stop());

  for (const [layout, group] of LAYOUTS) {
    test(`shortcuts and text arrive with the layout ${layout}${group ? ", second group" : ""}`, async () => {
      await computer.bash(`setxkbmap ${layout} && ${lockGroup(group)}`);
      await page.empty();
      await computer.call("type", { text: TEXT });
      await page.seen((seen) => seen.some(([kind, value]) => kind === "value" && value === TEXT));
      await computer.press("CTRL+A");
      const [, , end] = (await page.seen((seen) => seen.some(([kind]) => kind === "select"))).find(([kind]) => kind === "select");
      assert.equal(end, TEXT.length);
      await computer.press("ctrl+1");
      const one = await page.seen((seen) => seen.some(([kind, , key]) => kind === "key" && key === 0x31));
      assert.deepEqual(one.at(-1).slice(2), [0x31, true, false]);
    });
  }

  test("control characters are not typed, and the response lists them", async () => {
    await computer.bash("setxkbmap us");
    await page.empty();
    const { details } = await computer.call("type", { text: "page 1\fpage\u001b 2\f" });
    assert.deepEqual(details, { text_length: 15, left_out: { count: 3, characters: ["U+000C", "U+001B"] } });
    await page.seen((seen) => seen.some(([kind, value]) => kind === "value" && value === "page 1page 2"));
    assert.deepEqual((await computer.call("type", { text: "!" })).details, { text_length: 1 });
  });

  test("drag and drop works with every duration", async () => {
    for (const duration of [0, 0.05, 0.1, 0.3, undefined]) {
      // A second press at the same position would be a double click, which does not start a drag.
      await computer.call("click", { x: 1200, y: 600 });
      await page.seen((seen) => seen.some(([kind]) => kind === "click"));
      await computer.call("drag", { start_x: 50, start_y: 270, end_x: 600, end_y: 320, duration });
      const seen = await page.seen((seen) => seen.some(([kind]) => kind === "dragend"));
      assert.deepEqual(seen, [["dragstart"], ["drop", "dragged"], ["dragend"]], `in ${duration} s`);
    }
  });
});

/** Returns a command that selects a group of the keyboard layout. */
function lockGroup(group) {
  return `python3 - <<'END'
import ctypes
x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
display = ctypes.c_void_p(x.XOpenDisplay(None))
x.XkbLockGroup(display, 0x100, ${group})
x.XSync(display, 0)
END`;
}
