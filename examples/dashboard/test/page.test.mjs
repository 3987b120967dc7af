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
    ["a dead key", press("Dead", { alt: false }), false, undefined],
  ];
  for (const [name, event, apple, expected] of cases) {
    test(name, () => assert.equal(keyName(event, apple), expected));
  }

  test("what pastes", () => {
    assert.ok(isPaste(press("v", { ctrl: true }), false));
    assert.ok(isPaste(press("Insert", { shift: true }), false));
    assert.ok(isPaste(press("v", { meta: true }), true));
    assert.ok(!isPaste(press("v", { ctrl: true }), true));
  });
});

describe("files", async () => {
  const { sizeWords } = await load("files/words.ts");
  const { readLines } = await load("api/lines.ts");

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

  test("lines that come in pieces of any length", async () => {
    const lines = [{ name: "ä €😀" }, { n: 1 }, {}];
    const bytes = new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    for (let length = 1; length <= bytes.length; length += 1) {
      const body = new ReadableStream({
        start(controller) {
          for (let at = 0; at < bytes.length; at += length) controller.enqueue(bytes.subarray(at, at + length));
          controller.close();
        },
      });
      const read = [];
      for await (const line of readLines(body)) read.push(line);
      assert.deepEqual(read, lines);
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
    const queue = new InputQueue({
      now: () => clock.now,
      send: (action, params) =>
        new Promise((resolve, reject) => calls.push({ action, params, end: resolve, fail: reject })),
      sent: () => {},
      failed: (error) => failures.push(error),
    });
    /** Ends the last call and lets the next one begin. */
    const next = async (error) => {
      const call = calls.at(-1);
      if (error === undefined) call.end();
      else call.fail(error);
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { queue, calls, failures, clock, next };
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
