// Text arrives exactly: every set of characters in a window of each toolkit. With ORGO_FULL 20 runs of each, and a table.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Wire } from "../conformance/wire.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { until } from "../support/wait.mjs";
import { TypingWindow, windows } from "./windows.mjs";

const LENGTH = 200;
const ROUNDS = process.env.ORGO_FULL ? 20 : 1;

const han = Array.from({ length: LENGTH }, (_, n) => String.fromCodePoint(0x4e00 + n * 7)).join("");
const sets = {
  ASCII: "The quick brown fox (jumps) over \"13\" lazy dogs; {a[0]} = $b & ~c ^ d | e\\f `g` @h #i 50%!? <j> +-*/_,.:'",
  "accented Latin": "éèêëàâäçñöøßÉÈÊÀÄÇÑÖØÅåœŒ÷×«»¿¡ŁłŠšŽžİı and plain",
  Cyrillic: "Съешь же ещё этих мягких французских булок, да выпей чаю. СЪЕШЬ ЖЕ ЕЩЁ",
  Greek: "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία ΑΒΓΔ",
  CJK: han,
  emoji: "😀🎉🚀👍🏽❤️🔥🧪🐢🦀👩‍💻𝔘𐍈 ",
  mixed: "line\n\ttabbed é漢😀 Ж\n",
};

/** A text of 200 characters of the set that differs from round to round. */
function sample(set, round) {
  const characters = [...sets[set]];
  const text = Array.from({ length: LENGTH }, (_, n) => characters[(n + round * 3) % characters.length]);
  // An editor may keep a line break at the end to itself.
  return [...text.slice(0, -1), "z"].join("");
}

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

  async function open(toolkit) {
    const { body } = await wire.call("POST", "/computers", { workspace_id: workspace, name: toolkit });
    const path = `/computers/${body.id}`;
    await until("it to run", async () => (await wire.call("GET", path)).body.status === "running", 60_000);
    const computer = (await wire.call("GET", path)).body;
    const { password } = (await wire.call("GET", `${path}/vnc-password`)).body;
    const events = await wire.channel("events", { computer, password });
    events.send({ type: "subscribe", event_types: ["window_focus"] });
    await events.find((frame) => frame.type === "subscribed");
    const window = new TypingWindow(wire, body.id, windows[toolkit]);
    await window.open(events);
    events.close();
    return { window, close: () => wire.call("DELETE", path) };
  }

  for (const toolkit of Object.keys(windows)) {
    test(`${toolkit} gets every text`, { timeout: 1_800_000 }, async () => {
      const { window, close } = await open(toolkit);
      for (const set of Object.keys(sets)) {
        const times = [];
        for (let round = 0; round < ROUNDS; round += 1) {
          const text = sample(set, round);
          const { content, took } = await window.type(text);
          assert.equal(content, text, `${set}, round ${round}`);
          times.push(took);
        }
        const median = times.sort((a, b) => a - b)[times.length >> 1];
        table.push({ toolkit, set, exact: times.length, "ms until shown (median)": Math.round(median) });
      }
      await close();
    });
  }

  test("Caps Lock and a held modifier change nothing", { timeout: 120_000 }, async () => {
    const { window, close } = await open("Qt");
    const text = "Hello wörld, жЖ 123 (x)";
    await window.act("key", { key: "Caps_Lock" });
    assert.equal((await window.type(text)).content, text);
    await window.act("key", { key: "Caps_Lock" });
    await window.bash(`python3 - <<'END'${HOLD_SHIFT}END`);
    assert.equal((await window.type(text)).content, text);
    await close();
  });

  test("text is in the screenshot that follows at once", { timeout: 120_000 }, async () => {
    const { window, close } = await open("xterm");
    await window.bash("pkill -STOP tint2");
    for (let round = 0; round < 5; round += 1) {
      await window.act("type", { text: `${round} is here: ${"▇".repeat(30)}` });
      const soon = await window.screenshot();
      await new Promise((resolve) => setTimeout(resolve, 500));
      // The same pixels give the same file.
      assert.ok(soon.equals(await window.screenshot()), `round ${round}`);
    }
    await close();
  });
});

const HOLD_SHIFT = `
import ctypes
x, test = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
display = ctypes.c_void_p(x.XOpenDisplay(None))
test.XTestFakeKeyEvent(display, 50, 1, 0)
x.XFlush(display)
x.XSync(display, 0)
`;
