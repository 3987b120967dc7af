// Tests keyboard input on the dashboard's screen in the API mode: the event sequences of several browsers, and a slow connection.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { startTarget } from "../scenarios/target.mjs";
import { onPage, openDashboard } from "../support/dashboard-page.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 60_000 };
/** The one-way delay of a slow connection, in milliseconds. */
const SLOW_DELAY = 75;
let env, page, session;
/** The calls of the page, in order of their start. */
let calls = [];
/** The one-way delay of the calls, in milliseconds. */
let delay = 0;
/** A function that creates the response to a call that is not forwarded to the server. */
let respond;

before(async () => {
  env = await openDashboard(undefined, "api");
  ({ page } = env);
  session = await env.context.newCDPSession(page);
  await page.route(/\/api\/computers\/[^/]+\/(type|key|click|scroll|drag)$/, async (route) => {
    const request = route.request();
    const { key, text, ...rest } = request.postDataJSON();
    calls.push(key !== undefined ? `[${key}]` : (text ?? `${request.url().split("/").at(-1)} ${JSON.stringify(rest)}`));
    const wait = () => new Promise((resolve) => setTimeout(resolve, delay));
    await wait();
    if (respond !== undefined) return route.fulfill(respond(text));
    const response = await route.fetch();
    await wait();
    return route.fulfill({ response });
  });
});

after(() => env?.close());

beforeEach(async () => {
  await settled();
  [calls, delay, respond] = [[], 0, undefined];
  await page.locator("#screen-keyboard").evaluate((button) => {
    if (button.getAttribute("aria-pressed") !== "true") button.click();
  });
});

/** Waits until no call is pending and no new call starts. */
async function settled() {
  await until("the queue to be empty", async () => {
    const before = calls.length;
    await new Promise((resolve) => setTimeout(resolve, 200 + 2 * delay));
    return before === calls.length;
  });
}

/**
 * Dispatches events to the field as a browser does. A step is an event or an edit of the text. An edit is skipped if the
 * preceding `beforeinput` was canceled. `old` is the text that an edit replaces.
 */
async function play(steps) {
  await page.locator("#screen-keys").evaluate((field, steps) => {
    let canceled = false;
    for (const { type, old = "", text, ...init } of steps) {
      if (type === "edit") {
        if (!canceled) field.setRangeText(text, field.value.length - old.length, field.value.length, "end");
        continue;
      }
      const kind = type.startsWith("key") ? KeyboardEvent : type.startsWith("composition") ? CompositionEvent : InputEvent;
      const event = new kind(type, { bubbles: true, cancelable: true, ...init });
      // The constructor ignores `keyCode`.
      if (init.keyCode !== undefined) Object.defineProperty(event, "keyCode", { value: init.keyCode });
      if (type === "input" && canceled) continue;
      const done = field.dispatchEvent(event);
      if (type === "beforeinput") canceled = !done;
    }
  }, steps);
  await settled();
  return calls.splice(0).join("");
}

const input = (inputType, data, text = data, old = "", more = {}) => [
  { type: "beforeinput", inputType, data, ...more },
  { type: "edit", text, old },
  { type: "input", inputType, data, ...more },
];
const key = (key, more = {}) => [{ type: "keydown", key, ...more }];

/** Returns the events of a composition: one update for each of the `steps`, then the `end` events. */
function composition(steps, end) {
  const shown = steps.flatMap((text, at) => [
    { type: "compositionupdate", data: text },
    ...input("insertCompositionText", text, text, steps[at - 1] ?? "", { isComposing: true }),
  ]);
  return [{ type: "compositionstart", data: "" }, ...shown, ...end];
}

describe("the keyboard of the dashboard's screen in the API mode", () => {
  const cases = {
    "Chromium: a composition and the Enter that ends it": [
      [
        ...key("Process", { keyCode: 229 }),
        ...composition(["に", "にほん", "日本"], [{ type: "compositionend", data: "日本" }]),
        { type: "keyup", key: "Enter", keyCode: 13 },
      ],
      "日本",
    ],
    "Chromium: Enter during a composition": [
      [
        ...composition(
          ["に", "日"],
          [...key("Enter", { keyCode: 229, isComposing: true }), { type: "compositionend", data: "日" }],
        ),
        ...key("Enter", { keyCode: 13 }),
      ],
      "日[Enter]",
    ],
    "Safari: the Enter that ends a composition follows it": [
      [
        ...composition(
          ["に", "日本"],
          [
            { type: "beforeinput", inputType: "deleteCompositionText", data: null },
            { type: "edit", text: "", old: "日本" },
            { type: "input", inputType: "deleteCompositionText", data: null },
            ...input("insertFromComposition", "日本"),
            { type: "compositionend", data: "日本" },
            ...key("Enter", { keyCode: 229, isComposing: false }),
          ],
        ),
        { type: "keyup", key: "Enter", keyCode: 13 },
      ],
      "日本",
    ],
    "Safari: the next Enter is sent": [[...key("Enter", { keyCode: 13 })], "[Enter]"],
    "Firefox: the input event follows the composition": [
      [
        ...key("Process", { keyCode: 229 }),
        ...composition(
          ["´", "é"],
          [
            { type: "compositionend", data: "é" },
            { type: "input", inputType: "insertCompositionText", data: "é", isComposing: false },
          ],
        ),
      ],
      "é",
    ],
    "a canceled composition": [
      composition(
        ["に"],
        [...input("insertCompositionText", "", "", "に", { isComposing: true }), { type: "compositionend", data: "" }],
      ),
      "",
    ],
    "Android: a composed word, a space and Backspace": [
      [
        ...key("Unidentified", { keyCode: 229 }),
        ...composition(["h", "he", "hey"], [{ type: "compositionend", data: "hey" }]),
        ...key("Unidentified", { keyCode: 229 }),
        ...input("insertText", " "),
        ...key("Unidentified", { keyCode: 229 }),
        ...input("deleteContentBackward", null, "", " "),
      ],
      "hey [Backspace]",
    ],
    "Android: the input method handles Backspace during a composition": [
      [
        ...composition(
          ["ab"],
          [
            { type: "beforeinput", inputType: "deleteContentBackward", data: null, isComposing: true },
            { type: "edit", text: "", old: "b" },
            { type: "input", inputType: "deleteContentBackward", isComposing: true },
            { type: "compositionend", data: "a" },
          ],
        ),
      ],
      "a",
    ],
    "Android: editing a composed word": [
      [
        ...composition(["helo"], [{ type: "compositionend", data: "helo" }]),
        { type: "compositionstart", data: "helo" },
        ...input("insertCompositionText", "hello", "hello", "helo", { isComposing: true }),
        { type: "compositionend", data: "hello" },
      ],
      "helo[Backspace]lo",
    ],
    "Android: Backspace in an empty field": [
      [...key("Unidentified", { keyCode: 229 }), ...input("deleteContentBackward", null, "")],
      "[Backspace]",
    ],
    "an autocorrected word": [
      [
        ...input("insertText", "I "),
        ...input("insertText", "teh"),
        ...input("insertReplacementText", "the", "the", "teh"),
        ...input("insertText", " "),
      ],
      "I teh[Backspace][Backspace]he ",
    ],
    "macOS: an accent from the accent menu": [
      [...input("insertText", "caf"), ...input("insertText", "e"), ...input("insertText", "é", "é", "e")],
      "cafe[Backspace]é",
    ],
    "Safari: Korean without composition events": [
      [
        ...input("insertText", "ㅎ"),
        ...input("insertReplacementText", "하", "하", "ㅎ"),
        ...input("insertReplacementText", "한", "한", "하"),
        ...input("insertText", "ㄱ"),
      ],
      "ㅎ[Backspace]하[Backspace]한ㄱ",
    ],
    "a correction does not go back past a special key": [
      [...input("insertText", "teh"), ...key("Left", { key: "ArrowLeft" }), ...input("insertReplacementText", "the")],
      "teh[Left]the",
    ],
    "Enter on a phone": [[...input("insertText", "a"), ...input("insertLineBreak", null, "\n")], "a[Enter]"],
    "less common keys": [
      [
        ...key("ContextMenu"),
        ...key("Pause"),
        ...key("PrintScreen"),
        { type: "keyup", key: "PrintScreen" },
        ...key("ScrollLock"),
        ...key("F13"),
      ],
      "[Menu][Pause][Print][Scroll_Lock][F13]",
    ],
    "Windows: Print sends only keyup": [[{ type: "keyup", key: "PrintScreen" }], "[Print]"],
  };
  for (const [name, [steps, expected]] of Object.entries(cases)) {
    test(name, LIMIT, async () => {
      respond = () => ({ json: { success: true } });
      // Start with an empty field.
      await page.locator("#screen-keys").evaluate((field) => field.blur());
      await page.locator("#screen-keyboard").click();
      assert.equal(await play(steps), expected);
    });
  }

  test("Chromium's own input method", LIMIT, async () => {
    respond = () => ({ json: { success: true } });
    await page.keyboard.insertText("teh");
    await session.send("Input.imeSetComposition", { text: "に", selectionStart: 1, selectionEnd: 1 });
    await session.send("Input.insertText", { text: "日本" });
    await settled();
    assert.equal(calls.join(""), "teh日本");
  });

  test("a click or a paste ends a composition, and its text is sent once and first", LIMIT, async () => {
    respond = () => ({ json: { success: true } });
    const click = async () => page.mouse.click(...(await onPage(page, { x: 600, y: 300 })));
    for (const [act, expected] of [
      [click, /^\{.*\}$/],
      [() => paste("pasted"), /^pasted$/],
    ]) {
      await page.locator("#screen-keys").evaluate((field) => field.blur());
      await page.locator("#screen-keyboard").click();
      await settled();
      calls = [];
      await page.keyboard.type("hello");
      await session.send("Input.imeSetComposition", { text: "日本", selectionStart: 2, selectionEnd: 2 });
      await act();
      await page.keyboard.type("more");
      await settled();
      const [, before, between, after] = /^(.*日本)(.*?)(more)$/.exec(calls.join("").replace("click ", "")) ?? [];
      assert.deepEqual([before, after], ["hello日本", "more"], calls.join(" | "));
      assert.match(between, expected);
    }
  });

  test("tapping the screen does not open or close an on-screen keyboard", LIMIT, async () => {
    respond = () => ({ json: { success: true } });
    const focus = () => page.evaluate("document.activeElement.id");
    const tap = async () => {
      const [x, y] = await onPage(page, { x: 600, y: 300 });
      await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
      await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
      await settled();
    };
    assert.equal(await focus(), "screen-keys");
    await tap();
    assert.equal(await focus(), "screen-keys");
    await page.locator("#screen-keyboard").click();
    await tap();
    assert.notEqual(await focus(), "screen-keys");
    assert.deepEqual(
      calls.map((call) => call.split(" ")[0]),
      ["click", "click"],
    );
  });

  test("two fingers scroll, and a long press is a right click", LIMIT, async () => {
    respond = () => ({ json: { success: true } });
    const [x, y] = await onPage(page, { x: 600, y: 300 });
    const touch = (type, ...points) =>
      session.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: points.map(([right, down], id) => ({ x: x + right, y: y + down, id })),
      });
    const gesture = async (paths) => {
      await touch("touchStart", [0, 0]);
      await touch("touchStart", [0, 0], [90, 0]);
      for (let step = 1; step <= 10; step += 1) await touch("touchMove", ...paths(step));
      await touch("touchEnd");
      await settled();
      return calls.splice(0).join(" ");
    };
    assert.match(
      await gesture((step) => [
        [0, -12 * step],
        [90, -12 * step],
      ]),
      /^scroll .*"direction":"down"/,
    );
    assert.match(
      await gesture((step) => [
        [0, 12 * step],
        [90, 12 * step],
      ]),
      /^scroll .*"direction":"up"/,
    );
    assert.equal(
      await gesture((step) => [
        [-6 * step, 0],
        [90 + 6 * step, 0],
      ]),
      "",
      "a pinch",
    );
    await touch("touchStart", [0, 0]);
    await new Promise((resolve) => setTimeout(resolve, 700));
    await touch("touchEnd");
    await settled();
    assert.match(calls.splice(0).join(" "), /^click .*"button":"right"[^|]*$/);
    await touch("touchStart", [0, 0]);
    await touch("touchMove", [60, 40]);
    await touch("touchEnd");
    await settled();
    assert.match(calls.splice(0).join(" "), /^drag /);
  });

  test("a held key repeats as fast as the connection allows and stops on release", LIMIT, async () => {
    delay = SLOW_DELAY;
    for (const [held, sent] of [
      ["Backspace", "[Backspace]"],
      ["x", "x"],
    ]) {
      calls = [];
      await page.keyboard.down(held);
      // A keyboard repeats 30 times a second.
      for (let times = 0; times < 60; times += 1) {
        await page.keyboard.down(held);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await page.keyboard.up(held);
      const before = calls.length;
      await settled();
      assert.ok(before > 2, `${held} was sent ${before} times`);
      assert.equal(calls.length, before, `${held} was sent after its release`);
      assert.ok(
        calls.every((text) => text === sent || /^x{1,8}$/.test(text)),
        calls.join(" "),
      );
    }
  });

  test("fast key presses are never dropped", LIMIT, async () => {
    delay = SLOW_DELAY;
    respond = () => ({ json: { success: true } });
    for (let times = 0; times < 20; times += 1) await page.keyboard.press("Backspace");
    await page.keyboard.type("all of it");
    await until("the calls", () => calls.join("").endsWith("all of it"));
    assert.equal(calls.filter((call) => call === "[Backspace]").length, 20);
  });

  test("inputs after a rejected text are sent", LIMIT, async () => {
    respond = (text) =>
      text?.includes("\f")
        ? {
            status: 400,
            json: {
              error: {
                name: "BadRequestError",
                message: "computers.type: 400 text: no key makes U+000C",
                delivered: "no",
                status: 400,
              },
            },
          }
        : { json: { success: true } };
    await paste("page1\fpage2");
    await page.keyboard.press("Enter");
    await page.keyboard.type("more");
    await until("the calls", () => calls.join("").endsWith("more"));
    assert.equal(calls.join("").replace(/^.*\[/, "["), "[Enter]more");
    const notice = page.locator("#notices .notice");
    await notice.getByText("No key makes U+000C").waitFor();
    await notice.getByRole("button", { name: "Dismiss" }).click();
  });

  test("Esc twice cancels a long paste and shows how much was not typed", LIMIT, async () => {
    delay = SLOW_DELAY;
    respond = () => ({ json: { success: true } });
    await paste("lorem ipsum ".repeat(1_000));
    await page.locator("#screen-hint", { hasText: "Press Esc twice to cancel" }).waitFor();
    await until("the first calls", () => calls.length > 2);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.locator("#screen-hint", { hasText: /^Paste canceled. The last \d+ characters were not typed/ }).waitFor();
    await settled();
    assert.deepEqual(calls.slice(-2), ["[Escape]", "[Escape]"]);
    assert.ok(calls.join("").length < 6_000, `${calls.length} calls`);
    assert.equal(await page.evaluate("document.activeElement.id"), "screen-stage");
  });

  test("shows which characters the computer skipped", LIMIT, async () => {
    respond = () => ({ json: { success: true, details: { left_out: { count: 2, characters: ["U+000C", "U+0007"] } } } });
    await paste("a\f\x07b");
    await page.locator("#screen-hint", { hasText: "Skipped 2 characters that no key can type (U+000C, U+0007)." }).waitFor();
  });

  test("a paste with a form feed is typed without the form feed", LIMIT, async () => {
    const target = await startTarget(env.computer);
    await page.mouse.click(...(await onPage(page, target.point)));
    await paste("page1\fpage2\n");
    await page.keyboard.type("after");
    await page.keyboard.press("Enter");
    const lines = await target.read("text", (lines) => lines.includes("after"));
    // An older server rejects the text. A newer server types the other characters and reports the number of skipped ones.
    if (lines.length > 1) {
      assert.deepEqual(lines, ["page1page2", "after"]);
      await page.locator("#screen-hint").getByText("Skipped 1 character").waitFor();
    } else {
      await page.locator("#notices .notice").waitFor();
    }
  });
});

async function paste(text) {
  await page.locator("#screen-keys").evaluate((field, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}
