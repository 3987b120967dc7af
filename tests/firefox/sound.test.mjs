// The same sound in Firefox.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startFirefox } from "../support/firefox.mjs";
import { startLoudspeaker } from "../support/loudspeaker.mjs";
import { startPages } from "../support/pages.mjs";
import { ACTS, setStage, WAYS } from "../support/sound-stage.mjs";

describe("sound in Firefox", () => {
  let browser, loudspeaker, stage;
  before(async () => {
    stage = await setStage();
    // Without a sound card the clock of its sound stands still.
    loudspeaker = await startLoudspeaker();
    browser = await startFirefox(loudspeaker.environment);
  });
  after(async () => {
    await browser?.close();
    await loudspeaker?.stop();
    await stage?.clear();
  });

  for (const [transport, how] of Object.entries(WAYS)) {
    describe(`that comes by ${transport}`, () => {
      const complaints = [];
      let pages, page;
      before(async () => {
        pages = await startPages(() => stage.folder, how);
        page = await browser.newPage();
        page.onError((text) => complaints.push(text));
        await page.goto(pages.origin);
      });
      after(async () => {
        await page?.close();
        await pages?.close();
      });

      for (const name of ACTS) {
        test(name, { timeout: 60_000 }, () =>
          page.evaluate(`runTest(${JSON.stringify(name)}, ${JSON.stringify(stage.props(transport))})`),
        );
      }
      // What a policy forbids is told like an error.
      const own = (text) => !text.startsWith("Content-Security-Policy");
      test("no error got away", () => assert.deepEqual(complaints.filter(own), []));
    });
  }
});
