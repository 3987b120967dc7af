// Tests audio in a page, with every transport of samples to the worklet.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AUDIO_TESTS, startAudioEnvironment, TRANSPORTS } from "../support/audio-environment.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { until } from "../support/wait.mjs";

let browser, env;

before(async () => {
  env = await startAudioEnvironment();
  // The flags provide fake output devices, and access to them without a permission prompt.
  browser = await startChromium(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]);
});

after(async () => {
  await browser?.close();
  await env?.close();
});

for (const [transport, how] of Object.entries(TRANSPORTS)) {
  describe(`audio with the transport ${transport}`, () => {
    const failures = [];
    let pages, page;
    before(async () => {
      pages = await startPages(() => env.folder, how);
      page = await browser.newPage({ permissions: ["microphone"] });
      page.on("pageerror", (error) => failures.push(error.stack));
      await page.goto(pages.origin);
    });
    after(async () => {
      await page?.close();
      await pages?.close();
    });

    for (const name of AUDIO_TESTS) {
      test(name, { timeout: 60_000 }, () =>
        page.evaluate(([name, params]) => globalThis.runTest(name, params), [name, env.params(transport)]),
      );
    }
    test("all tests ran, no worker is still running, and there are no uncaught errors", async () => {
      assert.deepEqual(await page.evaluate(() => globalThis.testNames), AUDIO_TESTS);
      await until("the workers to end", () => page.workers().length === 0);
      assert.deepEqual(failures, []);
    });
  });
}

test("a page without user interaction is suspended and plays after a click", { timeout: 60_000 }, async () => {
  const strict = await startChromium(["--autoplay-policy=document-user-activation-required"]);
  const pages = await startPages(() => env.folder);
  try {
    const page = await strict.newPage();
    // `page.evaluate` counts as user interaction, so the page reports through its console instead.
    const messages = [];
    page.on("console", (message) => messages.push(message.text()));
    await page.goto(`${pages.origin}/#${encodeURIComponent(env.url)}`);
    await until("the player", () => messages.length > 0);
    assert.deepEqual(messages, ["suspended"]);
    await page.mouse.click(50, 50);
    await until("the tone", () => messages.includes("the tone"));
    assert.deepEqual(
      messages.filter((line) => line === "suspended"),
      ["suspended"],
    );
  } finally {
    await strict.close();
    await pages.close();
  }
});
