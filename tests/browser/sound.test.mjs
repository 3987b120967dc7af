// Sound in a page, by every way that samples can take to the worklet.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { startSoundServer } from "../support/sound-server.mjs";
import { until } from "../support/wait.mjs";

const TONE = (_, sample, rate) => Math.round(16_384 * Math.sin((2 * Math.PI * 440 * sample) / rate));
/** How fast the sender's clock is, in millionths: the players have to follow it. */
const PPM = 200;
/** The server's formats, which the page can ask for. */
const FORMATS = { usual: { rate: 24_000, channels: 1 }, other: { rate: 48_000, channels: 2 } };

/** How the page is served for each of the ways. */
const WAYS = {
  port: {},
  ring: { isolated: true },
  // A page whose policy forbids workers.
  page: { workers: "'none'" },
};
const ACTS = [
  "the tone is played, paused, made softer and stopped, without a click",
  "a context of the page is left open, resampled to, and may sleep at first",
  "a tone is 60 dB above all else that is heard, while the sender's clock is followed",
  "a recorder hears what the loudspeaker does",
  "the sound may go on in another format",
  "it sounds where the page wants",
  "after a player the samples come to the page again, and another player can take them",
  "a broken connection is dialled again, and the player goes on",
  "what is refused is refused as everywhere",
];

const folder = mkdtempSync(join(tmpdir(), "orgo-sound-"));
let browser, server, controls;

before(async () => {
  await build({
    root: fileURLToPath(new URL("sound-page", import.meta.url)),
    logLevel: "warn",
    build: { outDir: folder, emptyOutDir: true, minify: false },
  });
  server = await startSoundServer({ sample: TONE, ppm: PPM });
  controls = createServer(({ url }, response) => {
    if (url === "/drop") server.drop();
    else server.change(FORMATS[url.slice(1)]);
    response.writeHead(204, { "access-control-allow-origin": "*" }).end();
  });
  await new Promise((resolve) => controls.listen(0, "127.0.0.1", resolve));
  // Loudspeakers to choose from; the page may ask for them without a question to its user.
  browser = await startChromium(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]);
});

after(async () => {
  await browser?.close();
  await server?.close();
  controls?.close();
  rmSync(folder, { recursive: true });
});

for (const [transport, how] of Object.entries(WAYS)) {
  describe(`sound that comes by ${transport}`, () => {
    const complaints = [];
    let pages, page;
    before(async () => {
      pages = await startPages(() => folder, how);
      page = await browser.newPage({ permissions: ["microphone"] });
      page.on("pageerror", (error) => complaints.push(error.stack));
      await page.goto(pages.origin);
    });
    after(async () => {
      await page?.close();
      await pages?.close();
    });

    for (const name of ACTS) {
      test(name, { timeout: 60_000 }, () => {
        const given = { url: server.url, controls: `http://127.0.0.1:${controls.address().port}`, transport };
        return page.evaluate(([name, given]) => globalThis.act(name, given), [name, given]);
      });
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
  const pages = await startPages(() => folder);
  try {
    const page = await strict.newPage();
    // What a test evaluates in a page counts as a touch, so the page says by itself what it has to say.
    const told = [];
    page.on("console", (message) => told.push(message.text()));
    await page.goto(`${pages.origin}/#${encodeURIComponent(server.url)}`);
    await until("the player", () => told.length > 0);
    assert.deepEqual(told, ["suspended"]);
    await page.mouse.click(50, 50);
    await until("the tone", () => told.includes("the tone"));
    assert.deepEqual(told.filter((line) => line === "suspended"), ["suspended"]);
  } finally {
    await strict.close();
    await pages.close();
  }
});
