import assert from "node:assert/strict";
import { refused, succeeded } from "../expect.mjs";

/** Returns a check that a call succeeds, and that the response contains the action and repeats the parameters. */
function accepts(name, source, call, request, action, details = {}) {
  return {
    name,
    source,
    async run(wire, { computer }) {
      const body = succeeded(await wire.call("POST", `/computers/${computer.id}/${call}`, request));
      assert.equal(body.action, action);
      assert.deepEqual({ ...body.details, ...details }, { ...body.details });
    },
  };
}

/** Returns a check that a call is refused with 400. */
function refuses(name, source, call, request) {
  return {
    name,
    source,
    run: async (wire, { computer }) => refused(await wire.call("POST", `/computers/${computer.id}/${call}`, request), 400),
  };
}

const point = { x: 100, y: 120 };
const up = { direction: "up", amount: 2 };
const line = { start_x: 10, start_y: 10, end_x: 60, end_y: 70 };

/** The documented key names, the names that the official client generates, and combinations. */
const KEYS = [
  ...["Enter", "Tab", "Escape", "Backspace", "Delete", "Up", "Down", "Left", "Right", "Home", "End"],
  ...["Page_Up", "Page_Down", "Return", "BackSpace", "a", "A", "1", "F1", "F2", "F3", "F4", "F5", "F6"],
  ...["F7", "F8", "F9", "F10", "F11", "F12", "ctrl+c", "alt+Tab", "ctrl+shift+t", "super+Left", "Escape"],
];

export const actions = [
  accepts("the response to a click contains its position", "SEED, G3", "click", point, "click", point),
  accepts("the response to a click contains the button", "G3", "click", point, "click", { button: "left", double: false }),
  accepts("a double click is accepted", "SEED, G3", "click", { ...point, double: true }, "double_click", { double: true }),
  accepts("a right click is accepted", "SEED, G3", "click", { ...point, button: "right" }, "click", { button: "right" }),
  accepts("a click at (0, 0) is accepted", "SEED, G3", "click", { x: 0, y: 0 }, "click", { x: 0, y: 0 }),
  accepts("a click at the bottom right corner is accepted", "SEED, G3", "click", { x: 1279, y: 719 }, "click"),
  accepts("a drag is accepted", "SEED, G3", "drag", { ...line, button: "left", duration: 0.1 }, "drag", line),
  accepts("a drag without a duration is accepted", "SEED, G3", "drag", line, "drag", line),
  accepts("text is accepted", "SEED, G3", "type", { text: "hello" }, "type", { text_length: 5 }),
  accepts("text with non-ASCII and control characters is accepted", "SEED, G3", "type", { text: "Grüße, 世界 🙂\n\t" }, "type"),
  accepts("text with a delay is accepted", "G3", "type", { text: "slow", delay_ms: 12 }, "type", { text_length: 4 }),
  {
    name: "every documented key is accepted",
    source: "SEED, G3, PY",
    async run(wire, { computer }) {
      for (const key of KEYS) {
        const { action, details } = succeeded(await wire.call("POST", `/computers/${computer.id}/key`, { key }));
        assert.deepEqual([action, details.key], ["key_press", key]);
      }
    },
  },
  accepts("the default scroll amount is 3", "SEED", "scroll", { direction: "down" }, "scroll", { direction: "down", amount: 3 }),
  accepts("scrolling up is accepted", "SEED, G3", "scroll", up, "scroll", up),
  accepts("scrolling at a position is accepted", "PY", "scroll", { ...up, x: 50, y: 60 }, "scroll"),
  accepts("a wait with duration is accepted", "SEED, PY", "wait", { duration: 0.1 }, "wait"),
  accepts("a wait with seconds is accepted", "G3, MCP", "wait", { seconds: 0.1 }, "wait"),
  accepts("a wait with duration and seconds is accepted", "SEED, G3", "wait", { duration: 0.1, seconds: 0.1 }, "wait"),
  refuses("a click without y is refused", "G3", "click", { x: 1 }),
  refuses("a click at a negative position is refused", "G3", "click", { x: -1, y: 1 }),
  refuses("a click with a string as a coordinate is refused", "G3", "click", { x: "left", y: 1 }),
  refuses("a click with an unknown button is refused", "G3", "click", { ...point, button: "thumb" }),
  refuses("a drag without an end position is refused", "G3", "drag", { start_x: 1, start_y: 1 }),
  refuses("typing without a text is refused", "G3", "type", {}),
  refuses("a key without a name is refused", "G3", "key", {}),
  refuses("an unknown direction is refused", "G3", "scroll", { direction: "sideways" }),
  refuses("a scroll amount of 0 is refused", "G3", "scroll", { direction: "up", amount: 0 }),
  refuses("a wait of more than a minute is refused", "G3", "wait", { duration: 61 }),
  refuses("a wait without a time is refused", "SEED, G3", "wait", {}),
  {
    name: "a body that is not valid JSON is refused with 400",
    source: "G3",
    run: async (wire, { computer }) =>
      refused(await wire.call("POST", `/computers/${computer.id}/click`, undefined, { text: "{" }), 400),
  },
];
