import { PITCH, playTone } from "../../scenarios/audio.mjs";
import { equal, near, ok } from "../../scenarios/check.mjs";
import { loudness, strongest } from "../../support/tone.mjs";
import { until } from "../../support/wait.mjs";

/**
 * Checks that the output of the player contains the tone. As in a real page, opens the channel with a connection and without
 * an API key.
 */
export async function playsTone({ sdk, computer }) {
  const audio = await sdk.Orgo.connect(await computer.connection()).audio();
  const player = await audio.play();
  try {
    equal(player.state === "suspended", false, "whether the browser blocks audio");
    const { context } = player.node;
    const tap = new AnalyserNode(context, { fftSize: 8192 });
    player.node.connect(tap);
    const heard = new Float32Array(tap.fftSize);

    await playTone(computer, 3);
    const { frequency } = await until("the tone to be played", () => {
      tap.getFloatTimeDomainData(heard);
      const tone = strongest(heard, context.sampleRate);
      return loudness(heard) > 0.3 && tone.share > 0.98 && tone;
    });
    // The player changes its speed by up to 1 % to follow the clock of the sender.
    near(frequency, PITCH, PITCH * 0.012, "the strongest frequency, in Hz");
    equal(player.state, "playing", "the state");

    player.muted = true;
    await until("silence", () => {
      tap.getFloatTimeDomainData(heard);
      return loudness(heard) === 0;
    });
    const { received, played, buffered, dropped } = player.stats;
    ok(played > 0, "no samples were played");
    equal(received, played + buffered + dropped, "the sum of the counted samples");
  } finally {
    await player.stop();
    await audio.close();
  }
  equal(player.state, "stopped", "the state at the end");
}
