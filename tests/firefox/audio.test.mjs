// Tests audio in Firefox, with the same tests as in Chromium.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startAudioDevice } from "../support/audio-device.mjs";
import { AUDIO_TESTS, startAudioEnvironment, TRANSPORTS } from "../support/audio-environment.mjs";
import { startFirefox } from "../support/firefox.mjs";
import { startPages } from "../support/pages.mjs";

describe("audio in Firefox", () => {
  let browser, device, env;
  before(async () => {
    env = await startAudioEnvironment();
    // Without an output device, the audio clock of Firefox does not run.
    device = await startAudioDevice();
    browser = await startFirefox(device.environment);
  });
  after(async () => {
    await browser?.close();
    await device?.stop();
    await env?.close();
  });

  for (const [transport, options] of Object.entries(TRANSPORTS)) {
    describe(`with the transport ${transport}`, () => {
      const failures = [];
      let pages, page;
      before(async () => {
        pages = await startPages(() => env.folder, options);
        page = await browser.newPage();
        page.onError((text) => failures.push(text));
        await page.goto(pages.origin);
      });
      after(async () => {
        await page?.close();
        await pages?.close();
      });

      for (const name of AUDIO_TESTS) {
        test(name, { timeout: 60_000 }, () =>
          page.evaluate(`runTest(${JSON.stringify(name)}, ${JSON.stringify(env.params(transport))})`),
        );
      }
      // Firefox reports violations of the page's policy as errors.
      const isError = (text) => !text.startsWith("Content-Security-Policy");
      test("there are no uncaught errors", () => assert.deepEqual(failures.filter(isError), []));
    });
  }
});
