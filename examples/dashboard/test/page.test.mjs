import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

/** A module of the page, which is TypeScript. */
async function load(path) {
  const file = fileURLToPath(new URL(`../src/${path}`, import.meta.url));
  return (await runnerImport(file, { configFile: false, logLevel: "silent" })).module;
}

describe("geometry", async () => {
  const { fit, isInside, pixelAt } = await load("screen/geometry.ts");
  const picture = { width: 1280, height: 720 };

  test("a picture is fitted into a wider and into a higher box", () => {
    assert.deepEqual(fit(picture, { x: 10, y: 20, width: 1000, height: 360 }), {
      x: 190,
      y: 20,
      width: 640,
      height: 360,
    });
    assert.deepEqual(fit(picture, { x: 0, y: 0, width: 640, height: 1000 }), { x: 0, y: 320, width: 640, height: 360 });
  });

  test("every pixel of the screen is hit by its own middle, the edges too", () => {
    for (const width of [390, 848.5, 1280, 1919]) {
      const shown = { x: 7.25, y: 3.5, width, height: (width * 9) / 16 };
      for (const x of [0, 1, 639, 1278, 1279]) {
        for (const y of [0, 1, 359, 718, 719]) {
          const point = {
            x: shown.x + ((x + 0.5) * shown.width) / 1280,
            y: shown.y + ((y + 0.5) * shown.height) / 720,
          };
          assert.deepEqual(pixelAt(point, shown, picture), { x, y });
          assert.ok(isInside(point, shown));
        }
      }
    }
  });

  test("a point beside the picture is its nearest pixel", () => {
    const shown = { x: 100, y: 100, width: 640, height: 360 };
    assert.deepEqual(pixelAt({ x: -5, y: 5000 }, shown, picture), { x: 0, y: 719 });
    assert.deepEqual(pixelAt({ x: 740, y: 100 }, shown, picture), { x: 1279, y: 0 });
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
    ["a letter writes text", press("a"), false, undefined],
    ["a capital writes text", press("A", { shift: true }), false, undefined],
    ["a modifier alone", press("Control", { ctrl: true }), false, undefined],
    ["a combination", press("c", { ctrl: true }), false, "ctrl+c"],
    ["a combination with Shift", press("T", { ctrl: true, shift: true }), false, "ctrl+shift+t"],
    ["a sign", press("+", { ctrl: true, shift: true }), false, "ctrl+plus"],
    ["the space key", press(" ", { alt: true }), false, "alt+space"],
    ["another script", press("с", { ctrl: true, code: "KeyC" }), false, "ctrl+c"],
    ["AltGr writes text", press("@", { ctrl: true, alt: true, graph: true }), false, undefined],
    ["Option writes text", press("å", { alt: true }), true, undefined],
    ["Command is Control", press("c", { meta: true }), true, "ctrl+c"],
    ["the Super key elsewhere", press("ArrowLeft", { meta: true }), false, "super+Left"],
    ["F12", press("F12"), false, "F12"],
    ["F24", press("F24"), false, "F24"],
    ["the key of the context menu", press("ContextMenu"), false, "Menu"],
    ["Pause", press("Pause"), false, "Pause"],
    ["Pause with Control", press("Cancel", { ctrl: true }), false, "ctrl+Pause"],
    ["Print", press("PrintScreen", { alt: true }), false, "alt+Print"],
    ["a dead key", press("Dead", { alt: false }), false, undefined],
    ["a dead key in a combination", press("Dead", { ctrl: true, alt: true, code: "KeyE" }), false, "ctrl+alt+e"],
    ["a digit of a French keyboard", press("é", { ctrl: true, code: "Digit2" }), false, "ctrl+2"],
    ["a letter that no Latin key has", press("ö", { ctrl: true, code: "Semicolon" }), false, "ctrl+ö"],
    ["a letter of Dvorak", press("j", { ctrl: true, code: "KeyC" }), false, "ctrl+j"],
    ["Clear of a number block", press("Clear", { code: "Numpad5" }), false, "Clear"],
  ];
  for (const [name, event, apple, expected] of cases) {
    test(name, () => assert.equal(keyName(event, apple), expected));
  }

  test("what pastes", () => {
    assert.ok(isPaste(press("v", { ctrl: true }), false));
    assert.ok(isPaste(press("Insert", { shift: true }), false));
    assert.ok(isPaste(press("v", { meta: true }), true));
    assert.ok(!isPaste(press("v", { ctrl: true }), true));
    assert.ok(isPaste(press("м", { ctrl: true, code: "KeyV" }), false), "a Russian layout");
    assert.ok(isPaste(press("v", { ctrl: true, code: "Period" }), false), "Dvorak");
    assert.ok(!isPaste(press("k", { ctrl: true, code: "KeyV" }), false), "Dvorak's k");
  });
});

describe("the text of the field", async () => {
  const { difference } = await load("screen/difference.ts");
  const cases = [
    ["more", "ab", "abc", 0, "c"],
    ["nothing", "ab", "ab", 0, ""],
    ["a corrected word", "I teh", "I the ", 2, "he "],
    ["an accent", "caf e", "caf é", 1, "é"],
    ["a change before the end", "one two", "on two", 5, " two"],
    ["characters of two units", "a👍", "a👎", 1, "👎"],
    ["all gone", "ab", "", 2, ""],
  ];
  for (const [name, before, after, missing, added] of cases) {
    test(name, () => assert.deepEqual(difference(before, after), { missing, added }));
  }
});

describe("characters that a computer left out", async () => {
  const { leftOutWords } = await load("screen/left-out.ts");
  const cases = [
    ["a server that says nothing", {}, undefined],
    ["an answer with details alone", { details: { text_length: 3 } }, undefined],
    ["none", { details: { left_out: { count: 0, characters: [] } } }, undefined],
    ["one", { details: { left_out: { count: 1, characters: ["U+000C"] } } }, "Left out: 1 character that no key types (U+000C)."],
    ["some without names", { details: { left_out: { count: 3 } } }, "Left out: 3 characters that no key types."],
    ["something else", { details: { left_out: "yes" } }, undefined],
  ];
  for (const [name, result, words] of cases) test(name, () => assert.equal(leftOutWords(result), words));
});

describe("the detail of pictures", async () => {
  const { Detail } = await load("screen/detail.ts");
  const size = (width, height) => ({ width, height });

  test("is exact in a large view, and smaller in a small one", () => {
    const detail = new Detail();
    assert.deepEqual(detail.request(size(320, 180)), {}, "the size of the screen is not known yet");
    detail.begin("1280x720x24");
    assert.deepEqual(detail.request(size(1280, 720)), {});
    assert.deepEqual(detail.request(size(2560, 1440)), {});
    assert.deepEqual(detail.request(size(320, 180)), { format: "jpeg", scale: 0.25 });
    assert.ok(detail.accept(size(320, 180)));
    assert.deepEqual(detail.size, size(1280, 720));
  });

  test("takes a server that makes no smaller pictures", () => {
    const detail = new Detail();
    detail.begin("1280x720x24");
    detail.request(size(320, 180));
    assert.ok(detail.accept(size(1280, 720)));
    assert.deepEqual(detail.size, size(1280, 720));
  });

  test("finds out that the screen has another size than it was made with", () => {
    const detail = new Detail();
    detail.begin("1280x720x24");
    detail.request(size(640, 360));
    assert.ok(!detail.accept(size(960, 540)));
    assert.deepEqual(detail.request(size(640, 360)), {});
    assert.ok(detail.accept(size(1920, 1080)));
    assert.deepEqual(detail.size, size(1920, 1080));
    assert.equal(detail.request(size(640, 360)).scale, 0.35);
  });
});

describe("the words of failures", async () => {
  const { CallFailed, explain, isRefusal } = await load("api/problem.ts");
  const failed = (name, message, more = {}, status) => new CallFailed({ name, message, delivered: "no", ...more }, status);

  test("a connection that failed is said in plain words", () => {
    for (const [message, words] of [
      ["workspaces.list: connection refused (os error 111)", /nothing listens at its address/],
      ["workspaces.list: tcp connect error: Connection refused (os error 61)", /nothing listens/],
      ["workspaces.list: dns error: failed to lookup address information", /name cannot be found/],
      ["workspaces.list: connection reset by peer (os error 104)", /was cut/],
      ["workspaces.list: invalid peer certificate: Expired", /secure connection/],
      ["workspaces.list: something new (os error 5)", /cannot be reached/],
    ]) {
      const { message: said } = explain(failed("ConnectionError", message));
      assert.match(said, words);
      assert.doesNotMatch(said, /os error/);
    }
  });

  test("an export that is not allowed or finds nothing says its own reason", () => {
    const refused = explain(failed("PermissionDeniedError", "files.export: 403 path: must be in the home folder"));
    assert.deepEqual(refused, { message: "Path: must be in the home folder." });
    assert.equal(explain(failed("NotFoundError", "files.export: 404 File not found")).advice, "Check the path.");
  });

  test("what an input is refused for concerns no other input", () => {
    assert.ok(isRefusal(failed("BadRequestError", "computers.type: 400 text", {}, 400)));
    assert.ok(!isRefusal(failed("NotFoundError", "computers.type: 404 gone", {}, 404)));
    assert.ok(!isRefusal(failed("ConnectionError", "computers.type: connection refused", {}, 502)));
    assert.ok(!isRefusal(new Error("no")));
  });
});

describe("the terminal's own keys", async () => {
  const { isCopyInTerminal, isFindInTerminal, isPasteInTerminal } = await load("terminal/keys.ts");
  const { pasteable } = await load("terminal/pasteable.ts");
  const press = (code, { ctrl = false, shift = false, key = "" } = {}) => ({
    key,
    code,
    ctrlKey: ctrl,
    shiftKey: shift,
    altKey: false,
    metaKey: false,
  });

  test("copy and paste as in other terminals", () => {
    assert.ok(isCopyInTerminal(press("KeyC", { ctrl: true, shift: true, key: "C" }), false, false));
    assert.ok(isCopyInTerminal(press("KeyC", { ctrl: true, key: "c" }), true, false));
    assert.ok(!isCopyInTerminal(press("KeyC", { ctrl: true, key: "c" }), false, false), "the shell's");
    assert.ok(!isCopyInTerminal(press("KeyC", { ctrl: true, key: "c" }), true, true), "the shell's on Apple computers");
    assert.ok(isPasteInTerminal(press("KeyV", { ctrl: true, shift: true, key: "V" }), false));
    assert.ok(isPasteInTerminal(press("Insert", { shift: true, key: "Insert" }), false));
    assert.ok(!isPasteInTerminal(press("KeyV", { ctrl: true, key: "v" }), false), "the shell's");
  });

  test("the letters are those of the layout", () => {
    assert.ok(isCopyInTerminal(press("KeyI", { ctrl: true, shift: true, key: "C" }), false, false), "Dvorak");
    assert.ok(!isCopyInTerminal(press("KeyC", { ctrl: true, key: "j" }), true, false), "Dvorak's j");
    assert.ok(isCopyInTerminal(press("KeyC", { ctrl: true, key: "с" }), true, false), "a Russian layout");
    assert.ok(isPasteInTerminal(press("KeyV", { ctrl: true, shift: true, key: "М" }), false), "a Russian layout");
    assert.ok(isFindInTerminal(press("KeyY", { ctrl: true, shift: true, key: "F" })), "Dvorak");
  });

  test("a paste has no control characters but tabs and line ends", () => {
    assert.deepEqual(pasteable("echo \x1b[201~\n\trm\r\n\x03\x04\x9b\x7f é👋"), { text: "echo [201~\n\trm\r\n é👋", leftOut: 5 });
    assert.deepEqual(pasteable(""), { text: "", leftOut: 0 });
  });
});

describe("names", async () => {
  const { readable, typeable } = await load("ui/names.ts");

  test("are shown without what turns the direction of the text after them", () => {
    assert.equal(readable("evil\u202egpj.exe"), "evilgpj.exe");
    assert.equal(readable("שלום 👩‍👧 <b>"), "שלום 👩‍👧 <b>");
  });

  test("can be typed as they are shown", () => {
    for (const [name, typed] of [
      ["a  b\n", "a b"],
      ["e\u0301", "é"],
      ["\u200bzero", "zero"],
      ["👩‍👧", "👩‍👧"],
    ]) {
      assert.equal(typeable(name), typeable(typed));
    }
    assert.notEqual(typeable("A"), typeable("a"));
  });
});

describe("the words for a computer", async () => {
  const { screenWords } = await load("computers/screen-words.ts");
  const { facts } = await load("computers/words.ts");

  test("name the parts that did not come up", () => {
    const computer = { id: "1", cpu: 2, missing: ["window manager", "audio server"], workspace: { name: "w" } };
    assert.equal(facts(computer), "2 cores · w · without its window manager and audio server");
    assert.equal(facts({ ...computer, missing: [] }), "2 cores · w");
  });

  test("say why it is broken", () => {
    const selected = { id: "1", status: "error", problem: "its X server ended", workspace: {} };
    const { text, detail } = screenWords({ inventory: { workspaces: [], computers: [selected] }, selected, away: false }, {});
    assert.match(text, /broken/);
    assert.equal(detail, "Its X server ended.");
  });
});

describe("files", async () => {
  const { sizeWords } = await load("files/words.ts");
  const { Lines } = await load("api/lines.ts");

  test("sizes in words", () => {
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
    for (const [bytes, words] of cases) assert.equal(sizeWords(bytes), words);
  });

  test("lines that come in pieces of any length", () => {
    const values = [{ name: "ä €😀" }, { n: 1 }, {}];
    const text = values.map((value) => `${JSON.stringify(value)}\n`).join("");
    for (let length = 1; length <= text.length; length += 1) {
      const lines = new Lines();
      const read = [];
      for (let end = length; end < text.length + length; end += length) read.push(...lines.take(text.slice(0, end)));
      assert.deepEqual(read, values);
    }
  });
});

describe("the queue of inputs", async () => {
  const { InputQueue } = await load("screen/input-queue.ts");

  /** A queue whose calls end when the test says so. */
  function recorded() {
    const calls = [];
    const failures = [];
    const clock = { now: 1_000 };
    const rules = { goOn: false };
    const queue = new InputQueue({
      now: () => clock.now,
      send: (action, params) => new Promise((resolve, reject) => calls.push({ action, params, end: resolve, fail: reject })),
      sent: () => {},
      failed: (error) => {
        failures.push(error);
        return rules.goOn;
      },
    });
    /** Ends the last call and lets the next one begin. */
    const next = async (error) => {
      const call = calls.at(-1);
      if (error === undefined) call.end();
      else call.fail(error);
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { queue, calls, failures, clock, rules, next };
  }

  test("keeps the order and joins text that waits", async () => {
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

  test("a paste that waits can be stopped, and what was typed before and after it is sent", async () => {
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

  test("sends long text in pieces that leave characters whole", async () => {
    const { queue, calls, next } = recorded();
    const text = `${"x".repeat(199)}😀${"y".repeat(300)}`;
    queue.type(text);
    for (let times = 0; times < 3; times += 1) await next();
    assert.equal(calls.map(({ params }) => params.text).join(""), text);
    assert.ok(calls.every(({ params }) => params.text.length <= 200 && params.text.isWellFormed()));
  });

  test("adds up turns of the wheel in one direction", async () => {
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

  test("passes two clicks as they are, unless the way is too slow for a double click", async () => {
    const { queue, calls, clock, next } = recorded();
    const click = (second) => queue.click({ x: 1, y: 2, button: "left", second });
    for (const way of [40, 600]) {
      click(false);
      click(true);
      clock.now += way;
      await next();
      await next();
    }
    assert.deepEqual(
      calls.map(({ params }) => params.double ?? false),
      [false, false, false, true],
    );
  });

  /** What was sent, in words. */
  const words = (calls) => calls.map(({ params }) => params.text ?? params.key);

  test("sends a key that is held at the pace of the calls, and nothing after it is released", async () => {
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
    assert.equal(calls.length, 3, "one repeat was on its way, and none follows");
  });

  test("holds text of a key back in the same way", async () => {
    const { queue, calls, next } = recorded();
    queue.type("x");
    for (let times = 0; times < 90; times += 1) queue.type("x", true);
    await next();
    for (let times = 0; times < 90; times += 1) queue.type("x", true);
    assert.deepEqual(words(calls), ["x", "xxxxxxxx"]);
    queue.release();
    await next();
    assert.equal(calls.length, 2);
  });

  test("never drops a press for a repeat", async () => {
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
    assert.deepEqual(words(calls), ["Down", "ab", "Enter", "c"]);
  });

  test("bounds what a long swipe adds up to", async () => {
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

  test("goes on after an input that alone was refused", async () => {
    const { queue, calls, failures, rules, next } = recorded();
    rules.goOn = true;
    queue.type("refused");
    queue.key("Enter");
    queue.type("more");
    await next(new Error("no"));
    await next();
    assert.deepEqual([words(calls), failures.length], [["refused", "Enter", "more"], 1]);
    await next();
  });

  test("drops what follows an input that failed", async () => {
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
