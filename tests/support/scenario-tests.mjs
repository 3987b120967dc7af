// Runs the scenarios in a page of any browser: calls, terminals, events, audio.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { scenarios } from "../scenarios/index.mjs";
import { startAudioDevice } from "./audio-device.mjs";
import { startCounter } from "./counter.mjs";
import { startDesktop } from "./desktop.mjs";
import { servePage } from "./page.mjs";
import { freePort, startReceiver } from "./receiver.mjs";

/** @param {(environment: Record<string, string>) => Promise<Browser>} start starts a browser, see `firefox.mjs` */
export function testScenarios(browserName, start) {
  describe(`a page in ${browserName}`, () => {
    let browser, counter, desktop, device, page, pages, receiver;
    before(async () => {
      pages = await servePage(new URL("../browser/page/", import.meta.url));
      counter = await startCounter();
      receiver = await startReceiver();
      const connections = { live: receiver.url, dead: `rtmp://127.0.0.1:${await freePort()}/live` };
      desktop = await startDesktop({ allowOrigins: [pages.origin], connections });
      // Without an output device, the audio clock of a browser may not run.
      device = await startAudioDevice();
      browser = await start(device.environment);
      page = await browser.newPage();
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
    test("there are no uncaught errors", async () => assert.deepEqual(await page.uncaught(), []));
  });
}
