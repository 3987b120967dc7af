import assert from "node:assert/strict";
import { refused, succeeded } from "../expect.mjs";

/** Succeeds, says which action it was, and echoes what was asked for. */
function acts(name, source, call, request, action, details = {}) {
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

function refuses(name, source, call, request) {
  return {
    name,
    source,
    run: async (wire, { computer }) => refused(await wire.call("POST", `/computers/${computer.id}/${call}`, request), 400),
  };
}

const place = { x: 100, y: 120 };
const up = { direction: "up", amount: 2 };
const line = { start_x: 10, start_y: 10, end_x: 60, end_y: 70 };

/** The names of the documents, what the official client makes of everyday names, and combinations. */
const KEYS = [
  ...["Enter", "Tab", "Escape", "Backspace", "Delete", "Up", "Down", "Left", "Right", "Home", "End"],
  ...["Page_Up", "Page_Down", "Return", "BackSpace", "a", "A", "1", "F1", "F2", "F3", "F4", "F5", "F6"],
  ...["F7", "F8", "F9", "F10", "F11", "F12", "ctrl+c", "alt+Tab", "ctrl+shift+t", "super+Left", "Escape"],
];

export const actions = [
  acts("a click is told with its place", "SEED, G3", "click", place, "click", place),
  acts("a click is told with its kind", "G3", "click", place, "click", { button: "left", double: false }),
  acts("a double click is one", "SEED, G3", "click", { ...place, double: true }, "double_click", { double: true }),
  acts("the right button clicks", "SEED, G3", "click", { ...place, button: "right" }, "click", { button: "right" }),
  acts("coordinate 0 is clicked", "SEED, G3", "click", { x: 0, y: 0 }, "click", { x: 0, y: 0 }),
  acts("the far corner is clicked", "SEED, G3", "click", { x: 1279, y: 719 }, "click"),
  acts("a drag goes from place to place", "SEED, G3", "drag", { ...line, button: "left", duration: 0.1 }, "drag", line),
  acts("a drag needs no duration", "SEED, G3", "drag", line, "drag", line),
  acts("text is typed", "SEED, G3", "type", { text: "hello" }, "type", { text_length: 5 }),
  acts("text of every kind is typed", "SEED, G3", "type", { text: "Grüße, 世界 🙂\n\t" }, "type"),
  acts("text is typed slowly", "G3", "type", { text: "slow", delay_ms: 12 }, "type", { text_length: 4 }),
  {
    name: "every documented key is pressed",
    source: "SEED, G3, PY",
    async run(wire, { computer }) {
      for (const key of KEYS) {
        const { action, details } = succeeded(await wire.call("POST", `/computers/${computer.id}/key`, { key }));
        assert.deepEqual([action, details.key], ["key_press", key]);
      }
    },
  },
  acts("the wheel turns by three", "SEED", "scroll", { direction: "down" }, "scroll", { direction: "down", amount: 3 }),
  acts("the wheel turns up", "SEED, G3", "scroll", up, "scroll", up),
  acts("the wheel turns at a place", "PY", "scroll", { ...up, x: 50, y: 60 }, "scroll"),
  acts("a wait is taken by duration", "SEED, PY", "wait", { duration: 0.1 }, "wait"),
  acts("a wait is taken by seconds", "G3, MCP", "wait", { seconds: 0.1 }, "wait"),
  acts("a wait is taken by both", "SEED, G3", "wait", { duration: 0.1, seconds: 0.1 }, "wait"),
  refuses("a click without y is refused", "G3", "click", { x: 1 }),
  refuses("a click at a negative place is refused", "G3", "click", { x: -1, y: 1 }),
  refuses("a click at a place in words is refused", "G3", "click", { x: "left", y: 1 }),
  refuses("a click with an unknown button is refused", "G3", "click", { ...place, button: "thumb" }),
  refuses("a drag without an end is refused", "G3", "drag", { start_x: 1, start_y: 1 }),
  refuses("typing without a text is refused", "G3", "type", {}),
  refuses("a key without a name is refused", "G3", "key", {}),
  refuses("an unknown direction is refused", "G3", "scroll", { direction: "sideways" }),
  refuses("a wheel that turns by nothing is refused", "G3", "scroll", { direction: "up", amount: 0 }),
  refuses("a wait of more than a minute is refused", "G3", "wait", { duration: 61 }),
  refuses("a wait without a time is refused", "SEED, G3", "wait", {}),
  {
    name: "a body that is no JSON is refused with 400",
    source: "G3",
    run: async (wire, { computer }) =>
      refused(await wire.call("POST", `/computers/${computer.id}/click`, undefined, { text: "{" }), 400),
  },
];
