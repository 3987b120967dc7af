// Tests clicks, drags and scrolling through HTTP calls, with a window that records the events. Also tests that no key or
// button stays pressed.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Wire } from "../conformance/wire.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { until } from "../support/wait.mjs";
import { TestComputer } from "./computer.mjs";
import { PointerWindow } from "./pointer-window.mjs";

const [RIGHT_EDGE, BOTTOM] = [1279, 719];
const NOTHING = "0 []";

describe("the pointer", { concurrency: false }, () => {
  let desktop;
  let computer;
  let window;
  before(async () => {
    desktop = await startDesktop();
    const wire = new Wire(desktop.options);
    const workspace = (await wire.call("POST", "/workspaces", { name: "pointer" })).body.id;
    computer = await TestComputer.start(wire, workspace, "pointer");
    window = await PointerWindow.open(computer);
  });
  after(() => desktop?.stop());

  const ups = (count) => (seen) => seen.filter(({ kind }) => kind === "up").length >= count;
  const describeEvents = (seen) => seen.map(({ kind, button, x, y }) => `${kind} ${button} ${x} ${y}`);

  test("clicks of every button hit the exact pixel at edges and corners", async () => {
    for (const x of [0, 1, 640, RIGHT_EDGE]) {
      for (const y of [0, 1, 360, BOTTOM]) {
        const buttons = ["left", "middle", "right"];
        for (const button of buttons) await computer.call("click", { x, y, button });
        const expected = buttons.flatMap((button) => [`down ${button} ${x} ${y}`, `up ${button} ${x} ${y}`]);
        assert.deepEqual(describeEvents(await window.seen(ups(buttons.length))), expected);
      }
    }
  });

  test("the toolkit recognizes double clicks, even at coordinate 0", async () => {
    for (const [x, y] of [
      [0, 0],
      [RIGHT_EDGE, BOTTOM],
      [640, 0],
    ]) {
      await computer.call("click", { x, y, double: true });
      const kinds = ["down", "up", "double", "up"];
      assert.deepEqual(
        describeEvents(await window.seen(ups(2))),
        kinds.map((kind) => `${kind} left ${x} ${y}`),
      );
    }
  });

  test("a drag has the requested start, end and duration", async () => {
    for (const [from, to] of [
      [
        [0, 0],
        [RIGHT_EDGE, BOTTOM],
      ],
      [
        [RIGHT_EDGE, 0],
        [0, BOTTOM],
      ],
      [
        [0, 300],
        [0, 0],
      ],
    ]) {
      const body = { start_x: from[0], start_y: from[1], end_x: to[0], end_y: to[1], duration: 0.3 };
      await computer.call("drag", body);
      const seen = await window.seen(ups(1));
      const [first, last] = [seen.at(0), seen.at(-1)];
      assert.deepEqual([first.kind, first.x, first.y], ["down", ...from]);
      assert.deepEqual([last.kind, last.x, last.y], ["up", ...to]);
      // The timestamps are whole milliseconds of the X server's clock.
      assert.ok(last.time - first.time >= 299, `${last.time - first.time} ms`);
      const path = seen.slice(1, -1);
      assert.ok(path.length >= 2 && path.every(({ kind }) => kind === "drag"), JSON.stringify(path));
      const onLine = ({ x, y }) => Math.abs((x - from[0]) * (to[1] - from[1]) - (y - from[1]) * (to[0] - from[0])) <= RIGHT_EDGE;
      assert.ok(path.every(onLine), JSON.stringify(path));
    }
  });

  test("scrolling has the requested amount and position", async () => {
    await computer.call("click", { x: 700, y: 77 });
    await window.seen(ups(1));
    const steps = (seen) => seen.reduce((sum, { kind, steps }) => sum + (kind === "wheel" ? Math.abs(steps) : 0), 0);
    const cases = [
      [{ direction: "down", amount: 1 }, -1, [700, 77]],
      [{ direction: "up", amount: 40 }, 40, [700, 77]],
      [{ direction: "down" }, -3, [700, 77]],
      [{ direction: "up", amount: 2, x: 0, y: 0 }, 2, [0, 0]],
      [{ direction: "down", amount: 7, x: RIGHT_EDGE, y: BOTTOM }, -7, [RIGHT_EDGE, BOTTOM]],
    ];
    for (const [body, turned, [x, y]] of cases) {
      await computer.call("scroll", body);
      const seen = await window.seen((seen) => steps(seen) >= Math.abs(turned));
      assert.equal(
        seen.reduce((sum, { steps }) => sum + steps, 0),
        turned,
        JSON.stringify(body),
      );
      assert.ok(
        seen.every((wheel) => wheel.kind === "wheel" && wheel.x === x && wheel.y === y),
        JSON.stringify(seen),
      );
    }
  });

  test("a refused call presses no key or button", async () => {
    const far = { start_x: 0, start_y: 0, end_x: RIGHT_EDGE + 1, end_y: 0 };
    await assert.rejects(computer.call("drag", far), /end_x/);
    await assert.rejects(computer.call("click", { x: 0, y: BOTTOM + 1 }), /y: /);
    await assert.rejects(computer.call("key", { key: "ctrl+shift+Entr" }), /did you mean Enter/);
    await computer.call("click", { x: 5, y: 6 });
    assert.deepEqual(describeEvents(await window.seen(ups(1))), ["down left 5 6", "up left 5 6"]);
    assert.equal(await window.held(), NOTHING);
  });

  test("a drag releases its button if the client disconnects", async () => {
    const abort = new AbortController();
    const body = { start_x: 0, start_y: 0, end_x: RIGHT_EDGE, end_y: BOTTOM, duration: 60 };
    const drag = computer.call("drag", body, { abort: abort.signal });
    drag.catch(() => {});
    await window.seen((seen) => seen.some(({ kind }) => kind === "drag"));
    assert.notEqual(await window.held(), NOTHING);
    abort.abort();
    await assert.rejects(drag, { name: "AbortError" });
    const [last] = (await window.seen(ups(1))).slice(-1);
    assert.equal(last.button, "left");
    assert.ok(last.x < RIGHT_EDGE, "the drag continued to its end point");
    assert.equal(await window.held(), NOTHING);
  });

  test("typing releases all keys if the client disconnects", async () => {
    const abort = new AbortController();
    const typing = computer.call("type", { text: "Ä?".repeat(500), delay_ms: 1000 }, { abort: abort.signal });
    typing.catch(() => {});
    await window.seen((seen) => seen.some(({ kind }) => kind === "key"));
    abort.abort();
    await assert.rejects(typing, { name: "AbortError" });
    // The next key press waits until no other call types. If the abort had no effect, the text would take minutes.
    await computer.press("x");
    await window.seen((seen) => seen.some(({ text }) => text === "x"));
    assert.equal(await window.held(), NOTHING);
  });

  test("canceled typing restores the Caps Lock of the user", async () => {
    await computer.press("Caps_Lock");
    const locked = await window.held();
    const abort = new AbortController();
    const typing = computer.call("type", { text: "a".repeat(500), delay_ms: 1000 }, { abort: abort.signal });
    typing.catch(() => {});
    await window.seen((seen) => seen.some(({ text }) => text === "a"));
    abort.abort();
    await until("Caps Lock to be restored", async () => (await window.held()) === locked);
    await computer.press("Caps_Lock");
    assert.equal(await window.held(), NOTHING);
  });
});
