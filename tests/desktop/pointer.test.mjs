// Clicks, drags and the wheel arrive exactly, and nothing stays down, through HTTP to a window that tells what it saw.
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
  const moves = (seen) => seen.map(({ kind, button, x, y }) => `${kind} ${button} ${x} ${y}`);

  test("clicks land on every edge and corner with every button", async () => {
    for (const x of [0, 1, 640, RIGHT_EDGE]) {
      for (const y of [0, 1, 360, BOTTOM]) {
        const buttons = ["left", "middle", "right"];
        for (const button of buttons) await computer.act("click", { x, y, button });
        const expected = buttons.flatMap((button) => [`down ${button} ${x} ${y}`, `up ${button} ${x} ${y}`]);
        assert.deepEqual(moves(await window.seen(ups(buttons.length))), expected);
      }
    }
  });

  test("a double click is one to the toolkit, also at 0", async () => {
    for (const [x, y] of [
      [0, 0],
      [RIGHT_EDGE, BOTTOM],
      [640, 0],
    ]) {
      await computer.act("click", { x, y, double: true });
      const kinds = ["down", "up", "double", "up"];
      assert.deepEqual(
        moves(await window.seen(ups(2))),
        kinds.map((kind) => `${kind} left ${x} ${y}`),
      );
    }
  });

  test("a drag goes from where it should to where it should, for as long as it should", async () => {
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
      await computer.act("drag", body);
      const seen = await window.seen(ups(1));
      const [first, last] = [seen.at(0), seen.at(-1)];
      assert.deepEqual([first.kind, first.x, first.y], ["down", ...from]);
      assert.deepEqual([last.kind, last.x, last.y], ["up", ...to]);
      // By the X server's clock, in whole milliseconds.
      assert.ok(last.time - first.time >= 299, `${last.time - first.time} ms`);
      const path = seen.slice(1, -1);
      assert.ok(path.length >= 2 && path.every(({ kind }) => kind === "drag"), JSON.stringify(path));
      const onLine = ({ x, y }) => Math.abs((x - from[0]) * (to[1] - from[1]) - (y - from[1]) * (to[0] - from[0])) <= RIGHT_EDGE;
      assert.ok(path.every(onLine), JSON.stringify(path));
    }
  });

  test("the wheel turns by the steps that were asked for, where it was asked to", async () => {
    await computer.act("click", { x: 700, y: 77 });
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
      await computer.act("scroll", body);
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

  test("what is refused presses nothing", async () => {
    const far = { start_x: 0, start_y: 0, end_x: RIGHT_EDGE + 1, end_y: 0 };
    await assert.rejects(computer.act("drag", far), /end_x/);
    await assert.rejects(computer.act("click", { x: 0, y: BOTTOM + 1 }), /y: /);
    await assert.rejects(computer.act("key", { key: "ctrl+shift+Entr" }), /did you mean Enter/);
    await computer.act("click", { x: 5, y: 6 });
    assert.deepEqual(moves(await window.seen(ups(1))), ["down left 5 6", "up left 5 6"]);
    assert.equal(await window.held(), NOTHING);
  });

  test("a drag whose client goes away ends with its button up", async () => {
    const leave = new AbortController();
    const body = { start_x: 0, start_y: 0, end_x: RIGHT_EDGE, end_y: BOTTOM, duration: 60 };
    const drag = computer.act("drag", body, { leave: leave.signal });
    drag.catch(() => {});
    await window.seen((seen) => seen.some(({ kind }) => kind === "drag"));
    assert.notEqual(await window.held(), NOTHING);
    leave.abort();
    await assert.rejects(drag, { name: "AbortError" });
    const [last] = (await window.seen(ups(1))).slice(-1);
    assert.equal(last.button, "left");
    assert.ok(last.x < RIGHT_EDGE, "it went on to its end");
    assert.equal(await window.held(), NOTHING);
  });

  test("typing whose client goes away ends with every key up", async () => {
    const leave = new AbortController();
    const typing = computer.act("type", { text: "Ä?".repeat(500), delay_ms: 1000 }, { leave: leave.signal });
    typing.catch(() => {});
    await window.seen((seen) => seen.some(({ kind }) => kind === "key"));
    leave.abort();
    await assert.rejects(typing, { name: "AbortError" });
    // Waits for the keyboard, which the text would have had for minutes.
    await computer.press("x");
    await window.seen((seen) => seen.some(({ text }) => text === "x"));
    assert.equal(await window.held(), NOTHING);
  });

  test("a person's Caps Lock outlives typing that is given up", async () => {
    await computer.press("Caps_Lock");
    const locked = await window.held();
    const leave = new AbortController();
    const typing = computer.act("type", { text: "a".repeat(500), delay_ms: 1000 }, { leave: leave.signal });
    typing.catch(() => {});
    await window.seen((seen) => seen.some(({ text }) => text === "a"));
    leave.abort();
    await until("the lock to be back", async () => (await window.held()) === locked);
    await computer.press("Caps_Lock");
    assert.equal(await window.held(), NOTHING);
  });
});
