// Sound in a page, by every way that samples can take to the worklet.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { ACTS, setStage, WAYS } from "../support/sound-stage.mjs";
import { until } from "../support/wait.mjs";

let browser, stage;

before(async () => {
  stage = await setStage();
  // Loudspeakers to choose from; the page may ask for them without a question to its user.
  browser = await startChromium(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]);
});

after(async () => {
  await browser?.close();
  await stage?.clear();
});

for (const [transport, how] of Object.entries(WAYS)) {
  describe(`sound that comes by ${transport}`, () => {
    const complaints = [];
    let pages, page;
    before(async () => {
      pages = await startPages(() => stage.folder, how);
      page = await browser.newPage({ permissions: ["microphone"] });
      page.on("pageerror", (error) => complaints.push(error.stack));
      await page.goto(pages.origin);
    });
    after(async () => {
      await page?.close();
      await pages?.close();
    });

    for (const name of ACTS) {
      test(name, { timeout: 60_000 }, () =>
        page.evaluate(([name, props]) => globalThis.act(name, props), [name, stage.props(transport)]),
      );
    }
    test("these are all acts, no worker is left, and no error got away", async () => {
      assert.deepEqual(await page.evaluate(() => globalThis.actNames), ACTS);
      await until("the workers to end", () => page.workers().length === 0);
      assert.deepEqual(complaints, []);
    });
  });
}

test("a page that nobody touched says that it waits for a click, and sounds after it", { timeout: 60_000 }, async () => {
  const strict = await startChromium(["--autoplay-policy=document-user-activation-required"]);
  const pages = await startPages(() => stage.folder);
  try {
    const page = await strict.newPage();
    // What a test evaluates in a page counts as a touch, so the page says by itself what it has to say.
    const told = [];
    page.on("console", (message) => told.push(message.text()));
    await page.goto(`${pages.origin}/#${encodeURIComponent(stage.url)}`);
    await until("the player", () => told.length > 0);
    assert.deepEqual(told, ["suspended"]);
    await page.mouse.click(50, 50);
    await until("the tone", () => told.includes("the tone"));
    assert.deepEqual(
      told.filter((line) => line === "suspended"),
      ["suspended"],
    );
  } finally {
    await strict.close();
    await pages.close();
  }
});
