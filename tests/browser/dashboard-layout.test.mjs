// The dashboard at every width: nothing moves when a figure changes, nothing covers or cuts anything else, and what a
// pointer does that no call can carry is said.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openDashboard } from "../support/dashboard-page.mjs";
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
let stage, page;

before(async () => {
  stage = await openDashboard();
  ({ page } = stage);
  await page.locator("#events-state", { hasText: "Connected" }).waitFor();
});

after(() => stage?.close());

async function show(panel) {
  const choice = page.locator(`[data-show="${panel}"]:visible`);
  if ((await choice.count()) > 0) await choice.click();
}

describe("the dashboard's layout", () => {
  for (const [width, height] of WIDTHS) {
    test(`nothing moves in a window of ${width} by ${height} when figures change`, LIMIT, async () => {
      await page.setViewportSize({ width, height });
      for (const panel of ["sound", "calls"]) {
        await show(panel);
        // Set and measured at once: the page writes its own figures meanwhile.
        const boxes = await page.evaluate(() => {
          document.getElementById("sound").toggleAttribute("data-listening", true);
          const figures = {
            "screen-rate": ["1 fps", "9 fps", "10 fps", "120 fps"],
            "screen-latency": ["1 ms", "12 ms", "1234 ms", "in 10 s"],
            "sound-volume-value": ["0 %", "9 %", "99 %", "100 %"],
            "calls-summary": ["", "Screenshots: median 7 ms", "Screenshots: median 71 ms", "Screenshots: median 7123 ms"],
            "screen-hint": [
              "",
              "Short.",
              "Your keyboard is there. Esc twice to leave.",
              "A drag is sent when you let go, as one straight line. ".repeat(3),
            ],
          };
          const stats = [...document.querySelectorAll("#sound-stats dd")];
          const parts = [
            "screen-stage",
            "screen-keyboard",
            "screen-full",
            "screen-menu",
            "sound-meter",
            "sound-stats",
            "sound-volume",
            "terminal",
            "sound",
            "calls",
          ];
          return [0, 1, 2, 3].map((at) => {
            for (const [id, texts] of Object.entries(figures)) document.getElementById(id).textContent = texts[at];
            for (const value of stats) value.textContent = ["–", "7 ms", "71.23 %", "123456 ms"][at];
            return parts.map((id) => {
              const { x, y, width, height } = document.getElementById(id).getBoundingClientRect();
              return `${id} ${[x, y, width, height].map(Math.round)}`;
            });
          });
        });
        for (const later of boxes.slice(1)) assert.deepEqual(later, boxes[0]);
      }
      await page.evaluate(() => document.getElementById("sound").toggleAttribute("data-listening", false));
    });

    test(`nothing is cut or covered in a window of ${width} by ${height}`, LIMIT, async () => {
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
      assert.ok(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways");
      await show("sound");
      assert.deepEqual(await inside("#sound button, #sound-meter, #sound-stats dd, #sound output", "#sound"), []);
      assert.deepEqual(await inside(".screen .panel-head button, .screen summary, .screen .panel-head .figures", ".screen"), []);
      assert.deepEqual(await inside(".head button, .head .pill", ".head"), []);

      await show("events");
      await page.evaluate(
        "document.getElementById('events-types').ariaExpanded === 'true' || document.getElementById('events-types').click()",
      );
      const { filters, log } = await page.evaluate(() => {
        const box = (selector) => document.querySelector(selector).getBoundingClientRect().toJSON();
        return { filters: box("#events-filters"), log: box("#events .log") };
      });
      assert.ok(filters.bottom <= log.top + 0.5, "the types lie on the log");
      assert.ok(filters.height < 60, `the types take ${filters.height} pixels`);
      assert.ok(log.height >= 72, `the log has ${log.height} pixels`);
      await page.locator("#events-types").click();
    });
  }

  test("a small view is a small picture, and an unchanged one is not fetched again", LIMIT, async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    const seen = [];
    const watch = (response) => {
      if (!response.url().includes("/screenshot")) return;
      seen.push([response.status(), new URL(response.url()).search, response.headers()["content-type"]]);
    };
    page.on("response", watch);
    await until("a picture that was not fetched", () => seen.some(([status]) => status === 304));
    await stage.computer.bash(
      "setsid xmessage -geometry 300x200+400+200 hello > /dev/null 2>&1 || setsid xterm > /dev/null 2>&1 &",
    );
    await until("a new picture", () => seen.some(([status]) => status === 200));
    page.off("response", watch);
    assert.ok(
      seen.every(([, query]) => query === "?format=jpeg&scale=0.25" || query === "?format=jpeg&scale=0.3"),
      JSON.stringify(seen),
    );
    assert.deepEqual([...new Set(seen.filter(([status]) => status === 200).map(([, , type]) => type))], ["image/jpeg"]);
  });
});

describe("many computers, and names of every kind", () => {
  const NAMES = ["W".repeat(100), "a  b", "line\nbreak", "\u200bzero", "e\u0301te\u0301", "\u202Egpj.exe", "שלום", "<b>bold</b>"];
  const ids = [];

  before(async () => {
    const [{ id: workspace_id }] = await stage.orgo.workspaces.list();
    for (const name of [...Array.from({ length: 14 }, (_, at) => `box-${at}`), ...NAMES]) {
      const computer = await stage.orgo.computers.create({ workspace_id, name });
      await computer.stop();
      ids.push(computer.id);
    }
  });

  test("the selected computer is in sight, and every one can be scrolled to", LIMIT, async () => {
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
      const isInSight = (place) =>
        place.evaluate((element) => {
          const { left, right, top, bottom } = element.getBoundingClientRect();
          return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight;
        });
      assert.ok(await isInSight(chosen), `at ${width} by ${height}`);
      const list = await page.locator("#computers-list").boundingBox();
      await page.mouse.move(list.x + 20, list.y + 20);
      await page.mouse.wheel(-9_000, width < 1180 ? 0 : -9_000);
      await until("the first one", () => isInSight(page.locator(".computer").first()));
    }
  });

  test("the name that is shown deletes", LIMIT, async () => {
    for (const [width, height] of [
      [320, 640],
      [1440, 900],
    ]) {
      await page.setViewportSize({ width, height });
      for (const id of ids.slice(-NAMES.length)) {
        await page.evaluate((id) => void (location.hash = id), id);
        await page.locator(`.computer[data-id="${id}"][aria-current=true]`).waitFor();
        await page.locator("#machine-delete").click();
        const shown = (await page.locator("#delete-name").innerText()).replaceAll("\u200b", "").normalize("NFC");
        assert.doesNotMatch(shown, /\u202e/);
        await page.locator("#delete-form [name=name]").fill(shown);
        const submit = page.locator("#delete-form [type=submit]");
        assert.ok(await submit.isEnabled(), shown);
        const { x, width: wide } = await submit.boundingBox();
        assert.ok(x + wide <= width, "the button is cut off");
        const { scrollWidth, clientWidth } = await page
          .locator("#delete")
          .evaluate((dialog) => ({ scrollWidth: dialog.scrollWidth, clientWidth: dialog.clientWidth }));
        assert.equal(scrollWidth, clientWidth, shown);
        await page.locator("#delete-form [name=name]").fill("another");
        assert.ok(await submit.isDisabled());
        await page.keyboard.press("Escape");
      }
    }
    await page.evaluate((id) => void (location.hash = id), stage.computer.id);
    await page.locator("#screen-cover").waitFor({ state: "hidden" });
  });
});

describe("what no call of a computer can carry", () => {
  const hint = (text) => page.locator("#screen-hint", { hasText: text }).waitFor();

  before(async () => {
    await page.setViewportSize({ width: 1400, height: 1000 });
    const box = await page.locator("#screen-canvas").boundingBox();
    await page.mouse.move(box.x + 300, box.y + 200);
  });

  test("a pointer that rests", LIMIT, () => hint("The pointer goes there when you click"));

  test("keys that are held during a click", LIMIT, async () => {
    for (const [key, words] of [
      ["Shift", "Sent without Shift"],
      ["Control", "Sent without Ctrl"],
    ]) {
      await page.keyboard.down(key);
      await page.mouse.down();
      await page.mouse.up();
      await page.keyboard.up(key);
      await hint(words);
    }
  });

  test("the middle button", LIMIT, async () => {
    await page.mouse.down({ button: "middle" });
    await page.mouse.up({ button: "middle" });
    await hint("Not sent: a computer has a left and a right mouse button");
  });

  test("the wheel sideways", LIMIT, async () => {
    await page.mouse.wheel(120, 0);
    await hint("Not sent: the wheel turns up and down only");
  });

  test("the way of a drag", LIMIT, async () => {
    const box = await page.locator("#screen-canvas").boundingBox();
    await page.mouse.down();
    await page.mouse.move(box.x + 320, box.y + 260, { steps: 4 });
    await page.mouse.up();
    await hint("as one straight line");
  });

  test("no error got away", () => assert.deepEqual(stage.failures, []));
});
