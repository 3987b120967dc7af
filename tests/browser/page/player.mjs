import { equal, near, ok } from "../../scenarios/check.mjs";
import { PITCH, playTone } from "../../scenarios/sound.mjs";
import { loudness, strongest } from "../../support/tone.mjs";
import { until } from "../../support/wait.mjs";

/**
 * What comes out of the player, not what goes into it, has the tone. As in a real page it is opened by a connection,
 * without a key.
 */
export async function toneIsPlayed({ sdk, computer }) {
  const audio = await sdk.Orgo.connect(await computer.connection()).audio();
  const player = await audio.play();
  try {
    equal(player.state === "suspended", false, "whether the page may not sound");
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
    // To follow the sender's clock the player goes up to 1 % faster or slower.
    near(frequency, PITCH, PITCH * 0.012, "the strongest frequency, in Hz");
    equal(player.state, "playing", "the state");

    player.muted = true;
    await until("silence", () => {
      tap.getFloatTimeDomainData(heard);
      return loudness(heard) === 0;
    });
    const { received, played, buffered, dropped } = player.stats;
    ok(played > 0, "nothing was played");
    equal(received, played + buffered + dropped, "the samples that are accounted for");
  } finally {
    await player.stop();
    await audio.close();
  }
  equal(player.state, "stopped", "the state at the end");
}
