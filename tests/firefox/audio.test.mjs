// The same sound in Firefox.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startFirefox } from "../support/firefox.mjs";
import { startAudioDevice } from "../support/audio-device.mjs";
import { startPages } from "../support/pages.mjs";
import { AUDIO_TESTS, startAudioEnvironment, TRANSPORTS } from "../support/audio-environment.mjs";

describe("sound in Firefox", () => {
  let browser, loudspeaker, stage;
  before(async () => {
    stage = await startAudioEnvironment();
    // Without a sound card the clock of its sound stands still.
    loudspeaker = await startAudioDevice();
    browser = await startFirefox(loudspeaker.environment);
  });
  after(async () => {
    await browser?.close();
    await loudspeaker?.stop();
    await stage?.close();
  });

  for (const [transport, how] of Object.entries(TRANSPORTS)) {
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

      for (const name of AUDIO_TESTS) {
        test(name, { timeout: 60_000 }, () =>
          page.evaluate(`runTest(${JSON.stringify(name)}, ${JSON.stringify(stage.params(transport))})`),
        );
      }
      // What a policy forbids is told like an error.
      const own = (text) => !text.startsWith("Content-Security-Policy");
      test("no error got away", () => assert.deepEqual(complaints.filter(own), []));
    });
  }
});
