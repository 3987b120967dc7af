// The environment for the tests of audio in pages, in Chromium and Firefox.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startAudioServer } from "./audio-server.mjs";
import { buildPage } from "./build-page.mjs";

const TONE = (_, sample, rate) => Math.round(16_384 * Math.sin((2 * Math.PI * 440 * sample) / rate));
/** The error of the sender's clock, in parts per million. The players must compensate for it. */
const PPM = 200;
/** The audio formats that a page can request from the server. */
const FORMATS = { usual: { rate: 24_000, channels: 1 }, other: { rate: 48_000, channels: 2 } };

/** The options for serving the page, for each transport of samples to the worklet. */
export const TRANSPORTS = {
  port: {},
  ring: { isolated: true },
  // The policy of this page forbids workers.
  page: { workers: "'none'" },
};

/** The names of the tests. The page contains the tests. */
export const AUDIO_TESTS = [
  "playing, pausing, changing the volume and stopping cause no clicks",
  "a context of the page can be suspended, sets the sample rate and stays open",
  "following the clock of the sender keeps a signal-to-noise ratio of 60 dB",
  "a recorder gets the same audio as the output device",
  "the audio format can change during playback",
  "the page can select the output device",
  "after a player stops, the page receives the samples and can start another player",
  "the channel reconnects and the player continues",
  "invalid options cause the same errors as on other platforms",
];

/** Builds the page, and starts the audio server and an HTTP server by which the page controls the audio server. */
export async function startAudioEnvironment() {
  const folder = mkdtempSync(join(tmpdir(), "orgo-audio-"));
  await buildPage(new URL("../browser/audio-page", import.meta.url), folder);
  const server = await startAudioServer({ sample: TONE, ppm: PPM });
  const controls = createServer(({ url }, response) => {
    if (url === "/drop") server.drop();
    else server.change(FORMATS[url.slice(1)]);
    response.writeHead(204, { "access-control-allow-origin": "*" }).end();
  });
  await new Promise((resolve) => controls.listen(0, "127.0.0.1", resolve));
  return {
    folder,
    url: server.url,
    /** Returns the parameters of the page's tests. */
    params: (transport) => ({
      url: server.url,
      controls: `http://127.0.0.1:${controls.address().port}`,
      transport,
    }),
    async close() {
      controls.close();
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
