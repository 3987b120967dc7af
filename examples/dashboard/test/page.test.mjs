import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

/** Imports a TypeScript module of the page. */
async function load(path) {
  const file = fileURLToPath(new URL(`../src/${path}`, import.meta.url));
  return (await runnerImport(file, { configFile: false, logLevel: "silent" })).module;
}

describe("geometry", async () => {
  const { fit, isInside, pixelAt } = await load("screen/geometry.ts");
  const image = { width: 1280, height: 720 };

  test("fits an image into a wider and into a taller box", () => {
    assert.deepEqual(fit(image, { x: 10, y: 20, width: 1000, height: 360 }), {
      x: 190,
      y: 20,
      width: 640,
      height: 360,
    });
    assert.deepEqual(fit(image, { x: 0, y: 0, width: 640, height: 1000 }), { x: 0, y: 320, width: 640, height: 360 });
  });

  test("the center of every pixel maps to that pixel, also at the edges", () => {
    for (const width of [390, 848.5, 1280, 1919]) {
      const shown = { x: 7.25, y: 3.5, width, height: (width * 9) / 16 };
      for (const x of [0, 1, 639, 1278, 1279]) {
        for (const y of [0, 1, 359, 718, 719]) {
          const point = {
            x: shown.x + ((x + 0.5) * shown.width) / 1280,
            y: shown.y + ((y + 0.5) * shown.height) / 720,
          };
          assert.deepEqual(pixelAt(point, shown, image), { x, y });
          assert.ok(isInside(point, shown));
        }
      }
    }
  });

  test("a point outside the image maps to the nearest pixel", () => {
    const shown = { x: 100, y: 100, width: 640, height: 360 };
    assert.deepEqual(pixelAt({ x: -5, y: 5000 }, shown, image), { x: 0, y: 719 });
    assert.deepEqual(pixelAt({ x: 740, y: 100 }, shown, image), { x: 1279, y: 0 });
    assert.ok(!isInside({ x: 740, y: 100 }, shown));
  });
});

describe("keys", async () => {
  const { isPaste, keyName } = await load("screen/keys.ts");
  const press = (key, { ctrl = false, alt = false, shift = false, meta = false, graph = false, code = "" } = {}) => ({
    key,
    code,
    ctrlKey: ctrl,
    altKey: alt,
    shiftKey: shift,
    metaKey: meta,
    getModifierState: (name) => name === "AltGraph" && graph,
  });

  const cases = [
    ["Enter", press("Enter"), false, "Enter"],
    ["arrows", press("ArrowLeft", { ctrl: true, shift: true }), false, "ctrl+shift+Left"],
    ["a letter produces text", press("a"), false, undefined],
    ["a capital letter produces text", press("A", { shift: true }), false, undefined],
    ["a modifier alone", press("Control", { ctrl: true }), false, undefined],
    ["a combination", press("c", { ctrl: true }), false, "ctrl+c"],
    ["a combination with Shift", press("T", { ctrl: true, shift: true }), false, "ctrl+shift+t"],
    ["a symbol", press("+", { ctrl: true, shift: true }), false, "ctrl+plus"],
    ["the space bar", press(" ", { alt: true }), false, "alt+space"],
    ["a Russian layout", press("с", { ctrl: true, code: "KeyC" }), false, "ctrl+c"],
    ["AltGr produces text", press("@", { ctrl: true, alt: true, graph: true }), false, undefined],
    ["Option produces text", press("å", { alt: true }), true, undefined],
    ["Command maps to Control", press("c", { meta: true }), true, "ctrl+c"],
    ["the Super key on other systems", press("ArrowLeft", { meta: true }), false, "super+Left"],
    ["F12", press("F12"), false, "F12"],
    ["F24", press("F24"), false, "F24"],
    ["the context menu key", press("ContextMenu"), false, "Menu"],
    ["Pause", press("Pause"), false, "Pause"],
    ["Pause with Control", press("Cancel", { ctrl: true }), false, "ctrl+Pause"],
    ["Print", press("PrintScreen", { alt: true }), false, "alt+Print"],
    ["a dead key", press("Dead", { alt: false }), false, undefined],
    ["a dead key in a combination", press("Dead", { ctrl: true, alt: true, code: "KeyE" }), false, "ctrl+alt+e"],
    ["a digit on a French layout", press("é", { ctrl: true, code: "Digit2" }), false, "ctrl+2"],
    ["a letter without a Latin key", press("ö", { ctrl: true, code: "Semicolon" }), false, "ctrl+ö"],
    ["a letter on Dvorak", press("j", { ctrl: true, code: "KeyC" }), false, "ctrl+j"],
    ["Clear on the numeric keypad", press("Clear", { code: "Numpad5" }), false, "Clear"],
  ];
  for (const [name, event, apple, expected] of cases) {
    test(name, () => assert.equal(keyName(event, apple), expected));
  }

  test("recognizes paste shortcuts", () => {
    assert.ok(isPaste(press("v", { ctrl: true }), false));
    assert.ok(isPaste(press("Insert", { shift: true }), false));
    assert.ok(isPaste(press("v", { meta: true }), true));
    assert.ok(!isPaste(press("v", { ctrl: true }), true));
    assert.ok(isPaste(press("м", { ctrl: true, code: "KeyV" }), false), "a Russian layout");
    assert.ok(isPaste(press("v", { ctrl: true, code: "Period" }), false), "Dvorak");
    assert.ok(!isPaste(press("k", { ctrl: true, code: "KeyV" }), false), "Dvorak's k");
  });
});

describe("the difference between two texts", async () => {
  const { difference } = await load("screen/difference.ts");
  const cases = [
    ["added text", "ab", "abc", 0, "c"],
    ["no change", "ab", "ab", 0, ""],
    ["a corrected word", "I teh", "I the ", 2, "he "],
    ["an accent", "caf e", "caf é", 1, "é"],
    ["a change before the end", "one two", "on two", 5, " two"],
    ["surrogate pairs", "a👍", "a👎", 1, "👎"],
    ["all text removed", "ab", "", 2, ""],
  ];
  for (const [name, before, after, removed, added] of cases) {
    test(name, () => assert.deepEqual(difference(before, after), { removed, added }));
  }
});

describe("characters that a computer skipped", async () => {
  const { skippedMessage } = await load("screen/skipped-characters.ts");
  const cases = [
    ["no details", {}, undefined],
    ["other details", { details: { text_length: 3 } }, undefined],
    ["none", { details: { left_out: { count: 0, characters: [] } } }, undefined],
    [
      "one",
      { details: { left_out: { count: 1, characters: ["U+000C"] } } },
      "Skipped 1 character that no key can type (U+000C).",
    ],
    ["several without a list", { details: { left_out: { count: 3 } } }, "Skipped 3 characters that no key can type."],
    ["an invalid value", { details: { left_out: "yes" } }, undefined],
  ];
  for (const [name, result, message] of cases) test(name, () => assert.equal(skippedMessage(result), message));
});

describe("the sizing of screenshots", async () => {
  const { ScreenshotSizing } = await load("screen/screenshot-sizing.ts");
  const size = (width, height) => ({ width, height });

  test("requests full size in a large view and a scaled image in a small view", () => {
    const sizing = new ScreenshotSizing();
    assert.deepEqual(sizing.request(size(320, 180)), {}, "the size of the screen is unknown");
    sizing.reset("1280x720x24");
    assert.deepEqual(sizing.request(size(1280, 720)), {});
    assert.deepEqual(sizing.request(size(2560, 1440)), {});
    assert.deepEqual(sizing.request(size(320, 180)), { format: "jpeg", scale: 0.25 });
    assert.ok(sizing.accept(size(320, 180)));
    assert.deepEqual(sizing.size, size(1280, 720));
  });

  test("accepts full-size images from a server that does not scale", () => {
    const sizing = new ScreenshotSizing();
    sizing.reset("1280x720x24");
    sizing.request(size(320, 180));
    assert.ok(sizing.accept(size(1280, 720)));
    assert.deepEqual(sizing.size, size(1280, 720));
  });

  test("detects that the size of the screen has changed", () => {
    const sizing = new ScreenshotSizing();
    sizing.reset("1280x720x24");
    sizing.request(size(640, 360));
    assert.ok(!sizing.accept(size(960, 540)));
    assert.deepEqual(sizing.request(size(640, 360)), {});
    assert.ok(sizing.accept(size(1920, 1080)));
    assert.deepEqual(sizing.size, size(1920, 1080));
    assert.equal(sizing.request(size(640, 360)).scale, 0.35);
  });
});

describe("error messages", async () => {
  const { CallFailed, explain, isRejectedInput } = await load("api/problem.ts");
  const failed = (name, message, more = {}, status) => new CallFailed({ name, message, delivered: "no", ...more }, status);

  test("connection errors have plain messages", () => {
    for (const [message, expected] of [
      ["workspaces.list: connection refused (os error 111)", /refused the connection/],
      ["workspaces.list: tcp connect error: Connection refused (os error 61)", /refused the connection/],
      ["workspaces.list: dns error: failed to lookup address information", /could not be resolved/],
      ["workspaces.list: connection reset by peer (os error 104)", /was interrupted/],
      ["workspaces.list: invalid peer certificate: Expired", /secure connection/],
      ["workspaces.list: something new (os error 5)", /is unreachable/],
    ]) {
      const { message: text } = explain(failed("ConnectionError", message));
      assert.match(text, expected);
      assert.doesNotMatch(text, /os error/);
    }
  });

  test("a rejected export shows the reason from the service", () => {
    const rejected = explain(failed("PermissionDeniedError", "files.export: 403 path: must be in the home folder"));
    assert.deepEqual(rejected, { message: "Path: must be in the home folder." });
    assert.equal(explain(failed("NotFoundError", "files.export: 404 File not found")).advice, "Check the path.");
  });

  test("only validation errors are limited to a single input", () => {
    assert.ok(isRejectedInput(failed("BadRequestError", "computers.type: 400 text", {}, 400)));
    assert.ok(!isRejectedInput(failed("NotFoundError", "computers.type: 404 gone", {}, 404)));
    assert.ok(!isRejectedInput(failed("ConnectionError", "computers.type: connection refused", {}, 502)));
    assert.ok(!isRejectedInput(new Error("no")));
  });
});

describe("terminal shortcuts", async () => {
  const { isCopyInTerminal, isFindInTerminal, isPasteInTerminal } = await load("terminal/keys.ts");
  const { withoutControlCharacters } = await load("terminal/paste.ts");
  const press = (code, { ctrl = false, shift = false, key = "" } = {}) => ({
    key,
    code,
    ctrlKey: ctrl,
    shiftKey: shift,
    altKey: false,
    metaKey: false,
  });

  test("copy and paste work as in other terminals", () => {
    assert.ok(isCopyInTerminal(press("KeyC", { ctrl: true, shift: true, key: "C" }), false, false));
    assert.ok(isCopyInTerminal(press("KeyC", { ctrl: true, key: "c" }), true, false));
    assert.ok(!isCopyInTerminal(press("KeyC", { ctrl: true, key: "c" }), false, false), "goes to the shell");
    assert.ok(!isCopyInTerminal(press("KeyC", { ctrl: true, key: "c" }), true, true), "goes to the shell on Apple computers");
    assert.ok(isPasteInTerminal(press("KeyV", { ctrl: true, shift: true, key: "V" }), false));
    assert.ok(isPasteInTerminal(press("Insert", { shift: true, key: "Insert" }), false));
    assert.ok(!isPasteInTerminal(press("KeyV", { ctrl: true, key: "v" }), false), "goes to the shell");
  });

  test("letters follow the keyboard layout", () => {
    assert.ok(isCopyInTerminal(press("KeyI", { ctrl: true, shift: true, key: "C" }), false, false), "Dvorak");
    assert.ok(!isCopyInTerminal(press("KeyC", { ctrl: true, key: "j" }), true, false), "Dvorak's j");
    assert.ok(isCopyInTerminal(press("KeyC", { ctrl: true, key: "с" }), true, false), "a Russian layout");
    assert.ok(isPasteInTerminal(press("KeyV", { ctrl: true, shift: true, key: "М" }), false), "a Russian layout");
    assert.ok(isFindInTerminal(press("KeyY", { ctrl: true, shift: true, key: "F" })), "Dvorak");
  });

  test("a paste keeps no control characters except tabs and line breaks", () => {
    assert.deepEqual(withoutControlCharacters("echo \x1b[201~\n\trm\r\n\x03\x04\x9b\x7f é👋"), {
      text: "echo [201~\n\trm\r\n é👋",
      removed: 5,
    });
    assert.deepEqual(withoutControlCharacters(""), { text: "", removed: 0 });
  });
});

describe("names", async () => {
  const { displayName, normalizeName } = await load("ui/names.ts");

  test("are shown without bidirectional control characters", () => {
    assert.equal(displayName("evil\u202egpj.exe"), "evilgpj.exe");
    assert.equal(displayName("שלום 👩‍👧 <b>"), "שלום 👩‍👧 <b>");
  });

  test("match when typed as shown", () => {
    for (const [name, typed] of [
      ["a  b\n", "a b"],
      ["e\u0301", "é"],
      ["\u200bzero", "zero"],
      ["👩‍👧", "👩‍👧"],
    ]) {
      assert.equal(normalizeName(name), normalizeName(typed));
    }
    assert.notEqual(normalizeName("A"), normalizeName("a"));
  });
});

describe("the texts for a computer", async () => {
  const { screenMessage } = await load("computers/screen-message.ts");
  const { specs } = await load("computers/status.ts");

  test("lists the parts that did not start", () => {
    const computer = { id: "1", cpu: 2, missing: ["window manager", "audio server"], workspace: { name: "w" } };
    assert.equal(specs(computer), "2 cores · w · missing: window manager, audio server");
    assert.equal(specs({ ...computer, missing: [] }), "2 cores · w");
  });

  test("gives the reason for the status error", () => {
    const selected = { id: "1", status: "error", problem: "its X server ended", workspace: {} };
    const { text, detail } = screenMessage(
      { inventory: { workspaces: [], computers: [selected] }, selected, offline: false },
      {},
    );
    assert.match(text, /failed/);
    assert.equal(detail, "Its X server ended.");
  });
});

describe("files", async () => {
  const { formatSize } = await load("files/format.ts");
  const { NdjsonReader } = await load("api/ndjson.ts");

  test("sizes are formatted with decimal units", () => {
    const cases = [
      [0, "0 B"],
      [999, "999 B"],
      [1_000, "1.0 kB"],
      [99_949, "99.9 kB"],
      [99_950, "100 kB"],
      [999_499, "999 kB"],
      [999_500, "1.0 MB"],
      [10 * 1024 * 1024, "10.5 MB"],
      [5e12, "5000 GB"],
    ];
    for (const [bytes, text] of cases) assert.equal(formatSize(bytes), text);
  });

  test("NDJSON lines can arrive in chunks of any length", () => {
    const values = [{ name: "ä €😀" }, { n: 1 }, {}];
    const text = values.map((value) => `${JSON.stringify(value)}\n`).join("");
    for (let length = 1; length <= text.length; length += 1) {
      const reader = new NdjsonReader();
      const parsed = [];
      for (let end = length; end < text.length + length; end += length) parsed.push(...reader.read(text.slice(0, end)));
      assert.deepEqual(parsed, values);
    }
  });
});

describe("the input queue", async () => {
  const { InputQueue } = await load("screen/input-queue.ts");

  /** Creates a queue and records its calls. The test settles the calls. */
  function recorded() {
    const calls = [];
    const failures = [];
    const clock = { now: 1_000 };
    const rules = { keepQueue: false };
    const queue = new InputQueue({
      now: () => clock.now,
      send: (action, params) => new Promise((resolve, reject) => calls.push({ action, params, end: resolve, fail: reject })),
      onSent: () => {},
      onError: (error) => {
        failures.push(error);
        return rules.keepQueue;
      },
    });
    /** Settles the last call and waits until the queue has reacted. */
    const next = async (error) => {
      const call = calls.at(-1);
      if (error === undefined) call.end();
      else call.fail(error);
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { queue, calls, failures, clock, rules, next };
  }

  test("keeps the order and merges queued text", async () => {
    const { queue, calls, next } = recorded();
    for (const letter of "abc") queue.type(letter);
    queue.key("Enter");
    queue.type("d");
    for (let times = 0; times < 4; times += 1) await next();
    assert.deepEqual(
      calls.map(({ action, params }) => [action, params.text ?? params.key]),
      [
        ["type", "a"],
        ["type", "bc"],
        ["key", "Enter"],
        ["type", "d"],
      ],
    );
  });

  test("cancels a queued paste and sends the text typed before and after it", async () => {
    const { queue, calls, next } = recorded();
    queue.type("before");
    queue.paste("😀".repeat(250));
    queue.type("after");
    await next();
    assert.equal(queue.cancelPaste(), 150);
    assert.equal(queue.cancelPaste(), 0);
    for (let times = 0; times < 2; times += 1) await next();
    assert.deepEqual(
      calls.map(({ params }) => params.text),
      ["before", "😀".repeat(100), "after"],
    );
  });

  test("splits long text without splitting surrogate pairs", async () => {
    const { queue, calls, next } = recorded();
    const text = `${"x".repeat(199)}😀${"y".repeat(300)}`;
    queue.type(text);
    for (let times = 0; times < 3; times += 1) await next();
    assert.equal(calls.map(({ params }) => params.text).join(""), text);
    assert.ok(calls.every(({ params }) => params.text.length <= 200 && params.text.isWellFormed()));
  });

  test("adds up scrolling in the same direction", async () => {
    const { queue, calls, next } = recorded();
    queue.key("Home");
    for (const direction of ["down", "down", "up"]) queue.scroll({ direction, amount: 2, x: 1, y: 1 });
    for (let times = 0; times < 3; times += 1) await next();
    assert.deepEqual(
      calls.slice(1).map(({ params }) => [params.direction, params.amount]),
      [
        ["down", 4],
        ["up", 2],
      ],
    );
  });

  test("sends two clicks, or a double click if the connection is too slow", async () => {
    const { queue, calls, clock, next } = recorded();
    const click = (second) => queue.click({ x: 1, y: 2, button: "left", second });
    for (const delay of [40, 600]) {
      click(false);
      click(true);
      clock.now += delay;
      await next();
      await next();
    }
    assert.deepEqual(
      calls.map(({ params }) => params.double ?? false),
      [false, false, false, true],
    );
  });

  /** Returns the texts and keys of the calls. */
  const inputs = (calls) => calls.map(({ params }) => params.text ?? params.key);

  test("sends a held key as fast as the calls return, and nothing after its release", async () => {
    const { queue, calls, next } = recorded();
    queue.key("Backspace");
    for (let times = 0; times < 90; times += 1) queue.key("Backspace", true);
    await next();
    for (let times = 0; times < 90; times += 1) queue.key("Backspace", true);
    await next();
    for (let times = 0; times < 90; times += 1) queue.key("Backspace", true);
    assert.equal(calls.length, 3);
    queue.release();
    await next();
    assert.equal(calls.length, 3, "no repeat follows after the pending one");
  });

  test("limits the repeats of a held character key", async () => {
    const { queue, calls, next } = recorded();
    queue.type("x");
    for (let times = 0; times < 90; times += 1) queue.type("x", true);
    await next();
    for (let times = 0; times < 90; times += 1) queue.type("x", true);
    assert.deepEqual(inputs(calls), ["x", "xxxxxxxx"]);
    queue.release();
    await next();
    assert.equal(calls.length, 2);
  });

  test("never drops a key press in favor of a repeat", async () => {
    const { queue, calls, next } = recorded();
    queue.key("Down");
    queue.key("Down", true);
    queue.type("ab");
    queue.type("b", true);
    queue.key("Enter");
    queue.key("Enter", true);
    queue.release();
    queue.type("c");
    for (let times = 0; times < 4; times += 1) await next();
    assert.deepEqual(inputs(calls), ["Down", "ab", "Enter", "c"]);
  });

  test("limits the number of wheel notches in one call", async () => {
    const { queue, calls, next } = recorded();
    queue.key("Home");
    for (let times = 0; times < 100; times += 1) queue.scroll({ direction: "down", amount: 20, x: 1, y: 1 });
    await next();
    assert.deepEqual(
      calls.slice(1).map(({ params }) => params.amount),
      [60],
    );
    await next();
  });

  test("continues after a rejected input", async () => {
    const { queue, calls, failures, rules, next } = recorded();
    rules.keepQueue = true;
    queue.type("rejected");
    queue.key("Enter");
    queue.type("more");
    await next(new Error("no"));
    await next();
    assert.deepEqual([inputs(calls), failures.length], [["rejected", "Enter", "more"], 1]);
    await next();
  });

  test("drops the queued inputs after a failed input", async () => {
    const { queue, calls, failures, next } = recorded();
    queue.key("a");
    queue.key("b");
    const reason = new Error("no");
    await next(reason);
    assert.deepEqual(failures, [reason]);
    assert.equal(calls.length, 1);
    queue.key("c");
    assert.equal(calls.at(-1).params.key, "c");
    await next();
  });
});
