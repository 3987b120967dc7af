// Runs the scenarios in a page in Firefox: calls, terminals, events, audio.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { scenarios } from "../scenarios/index.mjs";
import { startAudioDevice } from "../support/audio-device.mjs";
import { startCounter } from "../support/counter.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { startFirefox } from "../support/firefox.mjs";
import { servePage } from "../support/page.mjs";
import { freePort, startReceiver } from "../support/receiver.mjs";

describe("a page in Firefox", () => {
  const failures = [];
  let browser, counter, desktop, device, page, pages, receiver;
  before(async () => {
    pages = await servePage(new URL("../browser/page/", import.meta.url));
    counter = await startCounter();
    receiver = await startReceiver();
    const connections = { live: receiver.url, dead: `rtmp://127.0.0.1:${await freePort()}/live` };
    desktop = await startDesktop({ allowOrigins: [pages.origin], connections });
    // Without an output device, the audio clock of Firefox does not run.
    device = await startAudioDevice();
    browser = await startFirefox(device.environment);
    page = await browser.newPage();
    page.onError((text) => failures.push(text));
    await page.goto(pages.origin);
  });
  after(async () => {
    await browser?.close();
    await device?.stop();
    await counter?.close();
    await desktop?.stop();
    await receiver?.close();
    await pages?.close();
  });

  test("it uses the WebAssembly binding", async () => {
    const settings = { options: desktop.options, counter: counter.url };
    assert.equal(await page.evaluate(`prepare(${JSON.stringify(settings)})`), "wasm");
  });
  for (const name of [...Object.keys(scenarios), "a tone of 440 Hz is played"]) {
    test(name, { timeout: 60_000 }, () => page.evaluate(`run(${JSON.stringify(name)})`));
  }
  test("there are no policy violations and no uncaught errors", () => assert.deepEqual(failures, []));
});
