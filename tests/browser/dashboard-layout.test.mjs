// Tests the layout of the dashboard at several window sizes: changing values do not move elements, and no element is clipped
// or covered. Also tests the hints for unsupported pointer input.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openDashboard, selectMode } from "../support/dashboard-page.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 60_000 };
const WIDTHS = [
  [320, 640],
  [360, 740],
  [414, 896],
  [560, 900],
  [768, 1024],
  [1024, 768],
  [1180, 840],
  [1280, 720],
  [1440, 900],
  [1920, 1080],
  [2560, 1300],
];
let env, page;

before(async () => {
  env = await openDashboard();
  ({ page } = env);
  await page.locator("#events-state", { hasText: "Connected" }).waitFor();
});

after(() => env?.close());

async function show(panel) {
  const choice = page.locator(`[data-show="${panel}"]:visible`);
  if ((await choice.count()) > 0) await choice.click();
}

describe("the dashboard's layout", () => {
  for (const [width, height] of WIDTHS) {
    test(`changing values move nothing in a window of ${width} by ${height}`, LIMIT, async () => {
      await page.setViewportSize({ width, height });
      for (const panel of ["audio", "calls"]) {
        await show(panel);
        // Sets the values and measures in one task, because the page itself updates the same values.
        const boxes = await page.evaluate(() => {
          document.getElementById("audio").toggleAttribute("data-listening", true);
          const values = {
            "screen-rate": ["1 fps", "9 fps", "10 fps", "120 fps"],
            "screen-latency": ["1 ms", "12.3 MB/s", "1234 ms", "↻ 10 s"],
            "audio-volume-value": ["0 %", "9 %", "99 %", "100 %"],
            "calls-summary": ["", "Screenshots: median 7 ms", "Screenshots: median 71 ms", "Screenshots: median 7123 ms"],
            "screen-hint": [
              "",
              "Short.",
              "Your keys go to the computer. Press Esc twice to stop.",
              "A drag is sent as one straight line when you release the button. ".repeat(3),
            ],
          };
          const stats = [...document.querySelectorAll("#audio-stats dd")];
          const parts = [
            "screen-stage",
            "screen-mode",
            "screen-control",
            "screen-keyboard",
            "screen-clipboard",
            "screen-exact",
            "screen-full",
            "screen-menu",
            "audio-meter",
            "audio-stats",
            "audio-volume",
            "terminal",
            "audio",
            "calls",
          ];
          return [0, 1, 2, 3].map((at) => {
            for (const [id, texts] of Object.entries(values)) document.getElementById(id).textContent = texts[at];
            document.getElementById("screen-control").toggleAttribute("data-view-only", at % 2 === 1);
            for (const value of stats) value.textContent = ["–", "7 ms", "71.23 %", "123456 ms"][at];
            return parts.map((id) => {
              const { x, y, width, height } = document.getElementById(id).getBoundingClientRect();
              return `${id} ${[x, y, width, height].map(Math.round)}`;
            });
          });
        });
        for (const later of boxes.slice(1)) assert.deepEqual(later, boxes[0]);
      }
      await page.evaluate(() => document.getElementById("audio").toggleAttribute("data-listening", false));
      await page.evaluate(() => document.getElementById("screen-control").toggleAttribute("data-view-only", false));
    });

    test(`nothing is clipped or covered in a window of ${width} by ${height}`, LIMIT, async () => {
      await page.setViewportSize({ width, height });
      const inside = (selector, holder) =>
        page.evaluate(
          ([selector, holder]) => {
            const outer = document.querySelector(holder).getBoundingClientRect();
            return [...document.querySelectorAll(selector)]
              .filter((element) => element.checkVisibility() && element.getClientRects().length > 0)
              .map((element) => [element.id || element.textContent, element.getBoundingClientRect()])
              .filter(([, box]) => box.left < outer.left - 0.5 || box.right > outer.right + 0.5)
              .map(([name]) => name);
          },
          [selector, holder],
        );
      assert.ok(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls horizontally");
      await show("audio");
      assert.deepEqual(await inside("#audio button, #audio-meter, #audio-stats dd, #audio output", "#audio"), []);
      assert.deepEqual(
        await inside(".screen .toolbar button, .screen fieldset, .screen summary, .screen .panel-head .tabular", ".screen"),
        [],
      );
      assert.deepEqual(await inside(".head button, .head .pill", ".head"), []);
      for (const menu of ["#screen-menu", "#screen-clipboard"]) {
        await page.locator(`${menu} summary`).click();
        assert.deepEqual(await inside(`${menu} .menu-items`, "html"), []);
        assert.deepEqual(await inside(`${menu} .menu-items button`, `${menu} .menu-items`), []);
        await page.keyboard.press("Escape");
      }

      await show("events");
      await page.evaluate(
        "document.getElementById('events-types').ariaExpanded === 'true' || document.getElementById('events-types').click()",
      );
      const { filters, log } = await page.evaluate(() => {
        const box = (selector) => document.querySelector(selector).getBoundingClientRect().toJSON();
        return { filters: box("#events-filters"), log: box("#events .log") };
      });
      assert.ok(filters.bottom <= log.top + 0.5, "the event types cover the log");
      assert.ok(filters.height < 60, `the event types are ${filters.height} pixels high`);
      assert.ok(log.height >= 72, `the log is ${log.height} pixels high`);
      await page.locator("#events-types").click();
    });
  }

  test("a small view requests small screenshots, and unchanged ones are not downloaded again", LIMIT, async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await selectMode(page, "api");
    const seen = [];
    const watch = (response) => {
      if (!response.url().includes("/screenshot")) return;
      seen.push([response.status(), new URL(response.url()).search, response.headers()["content-type"]]);
    };
    page.on("response", watch);
    await until("an unchanged screenshot", () => seen.some(([status]) => status === 304));
    await env.computer.bash(
      "setsid xmessage -geometry 300x200+400+200 hello > /dev/null 2>&1 || setsid xterm > /dev/null 2>&1 &",
    );
    await until("a new screenshot", () => seen.some(([status]) => status === 200));
    page.off("response", watch);
    assert.ok(
      seen.every(([, query]) => query === "?format=jpeg&scale=0.25" || query === "?format=jpeg&scale=0.3"),
      JSON.stringify(seen),
    );
    assert.deepEqual([...new Set(seen.filter(([status]) => status === 200).map(([, , type]) => type))], ["image/jpeg"]);
  });
});

describe("many computers and unusual names", () => {
  const NAMES = ["W".repeat(100), "a  b", "line\nbreak", "\u200bzero", "e\u0301te\u0301", "\u202Egpj.exe", "שלום", "<b>bold</b>"];
  const ids = [];

  before(async () => {
    const [{ id: workspace_id }] = await env.orgo.workspaces.list();
    for (const name of [...Array.from({ length: 14 }, (_, at) => `box-${at}`), ...NAMES]) {
      const computer = await env.orgo.computers.create({ workspace_id, name });
      await computer.stop();
      ids.push(computer.id);
    }
  });

  test("the selected computer is in view, and the list can be scrolled to every computer", LIMIT, async () => {
    for (const [width, height] of [
      [360, 740],
      [1024, 768],
      [1280, 720],
      [1440, 900],
    ]) {
      await page.setViewportSize({ width, height });
      await page.goto(`${new URL(page.url()).origin}/#${ids.at(-1)}`);
      await page.reload();
      const chosen = page.locator(".computer[aria-current=true]");
      await chosen.filter({ hasText: "bold" }).waitFor();
      const isInView = (item) =>
        item.evaluate((element) => {
          const { left, right, top, bottom } = element.getBoundingClientRect();
          return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight;
        });
      assert.ok(await isInView(chosen), `at ${width} by ${height}`);
      const list = await page.locator("#computers-list").boundingBox();
      await page.mouse.move(list.x + 20, list.y + 20);
      await page.mouse.wheel(-9_000, width < 1180 ? 0 : -9_000);
      await until("the first computer to be in view", () => isInView(page.locator(".computer").first()));
    }
  });

  test("typing the displayed name allows deleting the computer", LIMIT, async () => {
    for (const [width, height] of [
      [320, 640],
      [1440, 900],
    ]) {
      await page.setViewportSize({ width, height });
      for (const id of ids.slice(-NAMES.length)) {
        await page.evaluate((id) => location.assign(`#${id}`), id);
        await page.locator(`.computer[data-id="${id}"][aria-current=true]`).waitFor();
        await page.locator("#computer-delete").click();
        const shown = (await page.locator("#delete-name").innerText()).replaceAll("\u200b", "").normalize("NFC");
        assert.doesNotMatch(shown, /\u202e/);
        await page.locator("#delete-form [name=name]").fill(shown);
        const submit = page.locator("#delete-form [type=submit]");
        assert.ok(await submit.isEnabled(), shown);
        const { x, width: wide } = await submit.boundingBox();
        assert.ok(x + wide <= width, "the button is clipped");
        const { scrollWidth, clientWidth } = await page
          .locator("#delete")
          .evaluate((dialog) => ({ scrollWidth: dialog.scrollWidth, clientWidth: dialog.clientWidth }));
        assert.equal(scrollWidth, clientWidth, shown);
        await page.locator("#delete-form [name=name]").fill("another");
        assert.ok(await submit.isDisabled());
        await page.keyboard.press("Escape");
      }
    }
    await page.evaluate((id) => location.assign(`#${id}`), env.computer.id);
    await page.locator("#screen-overlay").waitFor({ state: "hidden" });
  });
});

describe("hints for input that the API mode does not support", () => {
  const hint = (text) => page.locator("#screen-hint", { hasText: text }).waitFor();

  before(async () => {
    await page.setViewportSize({ width: 1400, height: 1000 });
    await page.locator("#screen-overlay").waitFor({ state: "hidden" });
    const box = await page.locator("#screen-canvas").boundingBox();
    await page.mouse.move(box.x + 300, box.y + 200);
  });

  test("a resting pointer", LIMIT, () => hint("The pointer moves on the computer only when you click"));

  test("modifier keys during a click", LIMIT, async () => {
    for (const [key, text] of [
      ["Shift", "Sent without Shift"],
      ["Control", "Sent without Ctrl"],
    ]) {
      await page.keyboard.down(key);
      await page.mouse.down();
      await page.mouse.up();
      await page.keyboard.up(key);
      await hint(text);
    }
  });

  test("the middle button", LIMIT, async () => {
    await page.mouse.down({ button: "middle" });
    await page.mouse.up({ button: "middle" });
    await hint("Not sent. Only the left and right mouse buttons are supported.");
  });

  test("horizontal scrolling", LIMIT, async () => {
    await page.mouse.wheel(120, 0);
    await hint("Not sent. Only vertical scrolling is supported.");
  });

  test("a drag", LIMIT, async () => {
    const box = await page.locator("#screen-canvas").boundingBox();
    await page.mouse.down();
    await page.mouse.move(box.x + 320, box.y + 260, { steps: 4 });
    await page.mouse.up();
    await hint("as one straight line");
  });

  test("there are no uncaught errors", () => assert.deepEqual(env.failures, []));
});
