import { loudness, strongest } from "../support/tone.mjs";
import { within } from "../support/wait.mjs";
import { equal, near, ok } from "./check.mjs";

/** What is played, in hertz. */
export const PITCH = 440;
/** How loud it is at its loudest, from 0 to 1. */
const AMPLITUDE = 0.5;
/** How many samples are looked at: 0.68 s at 24000 per second. */
const LENGTH = 16_384;

/** Writes a WAV file with a tone of so many seconds, and plays it in the background. */
export async function playTone(computer, seconds) {
  const program = [
    "import array, math, wave",
    "file = wave.open('/tmp/tone.wav', 'wb')",
    "file.setparams((1, 2, 48000, 0, 'NONE', ''))",
    `samples = (${AMPLITUDE} * 32767 * math.sin(2 * math.pi * ${PITCH} * at / 48000) for at in range(${seconds} * 48000))`,
    "file.writeframes(array.array('h', map(round, samples)).tobytes())",
    "file.close()",
  ];
  const { output, exit_code } = await computer.bash(
    `python3 - <<'PROGRAM'\n${program.join("\n")}\nPROGRAM\n` +
      "[ $? = 0 ] && { setsid paplay /tmp/tone.wav > /tmp/paplay.log 2>&1 & }",
  );
  equal(exit_code, 0, `playing a tone (${output})`);
}

/** Fails unless the samples are the tone that was played. */
export function isTone(samples, rate) {
  const { frequency, share } = strongest(samples, rate);
  near(frequency, PITCH, 1, "the strongest frequency, in Hz");
  ok(share > 0.98, `only ${(share * 100).toFixed(1)} % of the energy is at the strongest frequency`);
  near(loudness(samples), AMPLITUDE / Math.SQRT2, 0.05, "the loudness");
}

export async function toneIsHeard({ computer }) {
  const audio = await computer.audio();
  const events = await computer.events(["audio_stream_start", "audio_stream_stop"]);
  try {
    await playTone(computer, 2);
    const { samples, rate } = await within("the tone", listen(audio));
    equal(rate, 24_000, "the rate");
    isTone(samples, rate);
    await events.waitFor("audio_stream_start");
    await events.waitFor("audio_stream_stop");
    const { received, delivered, buffered, dropped } = audio.stats;
    equal(received, delivered + buffered + dropped, "the samples that are accounted for");
  } finally {
    await Promise.all([audio.close(), events.close()]);
  }
}

/** The samples from where the sound begins. */
async function listen(audio) {
  const heard = [];
  for await (const { samples, sample_rate, channels } of audio) {
    equal(channels, 1, "the channels");
    // The onset itself is a click with all frequencies, so the tone counts from the next chunk.
    if (heard.length > 0 || loudness(samples) > AMPLITUDE / 2) heard.push(...samples);
    if (heard.length >= LENGTH) return { samples: Float32Array.from(heard.slice(-LENGTH)), rate: sample_rate };
  }
  throw new Error("the sound ended early");
}
