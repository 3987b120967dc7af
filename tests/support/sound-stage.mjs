// What the tests of sound in a page share, whichever browser it is.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPage } from "./build-page.mjs";
import { startSoundServer } from "./sound-server.mjs";

const TONE = (_, sample, rate) => Math.round(16_384 * Math.sin((2 * Math.PI * 440 * sample) / rate));
/** How much too fast the sender's clock is, in millionths: the players have to follow it. */
const PPM = 200;
/** The server's formats, which the page can ask for. */
const FORMATS = { usual: { rate: 24_000, channels: 1 }, other: { rate: 48_000, channels: 2 } };

/** How the page is served for each of the ways that samples can take to the worklet. */
export const WAYS = {
  port: {},
  ring: { isolated: true },
  // A page whose policy forbids workers.
  page: { workers: "'none'" },
};

export const ACTS = [
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

/** Builds the page, and starts the server of sound and what lets the page control it. */
export async function setStage() {
  const folder = mkdtempSync(join(tmpdir(), "orgo-sound-"));
  await buildPage(new URL("../browser/audio-page", import.meta.url), folder);
  const server = await startSoundServer({ sample: TONE, ppm: PPM });
  const controls = createServer(({ url }, response) => {
    if (url === "/drop") server.drop();
    else server.change(FORMATS[url.slice(1)]);
    response.writeHead(204, { "access-control-allow-origin": "*" }).end();
  });
  await new Promise((resolve) => controls.listen(0, "127.0.0.1", resolve));
  return {
    folder,
    url: server.url,
    /** What an act is given. */
    props: (transport) => ({
      url: server.url,
      controls: `http://127.0.0.1:${controls.address().port}`,
      transport,
    }),
    async clear() {
      controls.close();
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
