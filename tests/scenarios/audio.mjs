import { loudness, strongest } from "../support/tone.mjs";
import { within } from "../support/wait.mjs";
import { equal, near, ok } from "./check.mjs";

/** The frequency of the tone, in hertz. */
export const PITCH = 440;
/** The amplitude of the tone, from 0 to 1. */
const AMPLITUDE = 0.5;
/** The number of samples to analyze: 0.68 s at 24 kHz. */
const LENGTH = 16_384;

/** Writes a WAV file with a tone, and plays it in the background. */
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

/** Fails unless the samples contain the tone. */
export function isTone(samples, rate) {
  const { frequency, share } = strongest(samples, rate);
  near(frequency, PITCH, 1, "the strongest frequency, in Hz");
  ok(share > 0.98, `only ${(share * 100).toFixed(1)} % of the energy is at the strongest frequency`);
  near(loudness(samples), AMPLITUDE / Math.SQRT2, 0.05, "the loudness");
}

export async function receivesTone({ computer }) {
  const audio = await computer.audio();
  const events = await computer.events(["audio_stream_start", "audio_stream_stop"]);
  try {
    await playTone(computer, 2);
    const { samples, rate } = await within("the tone", record(audio));
    equal(rate, 24_000, "the rate");
    isTone(samples, rate);
    await events.waitFor("audio_stream_start");
    await events.waitFor("audio_stream_stop");
    const { received, delivered, buffered, dropped } = audio.stats;
    equal(received, delivered + buffered + dropped, "the sum of the statistics");
  } finally {
    await Promise.all([audio.close(), events.close()]);
  }
}

/** Records samples from the start of the tone. */
async function record(audio) {
  const recorded = [];
  for await (const { samples, sample_rate, channels } of audio) {
    equal(channels, 1, "the channels");
    // The start of the tone is a click that contains all frequencies, so only the last samples are returned.
    if (recorded.length > 0 || loudness(samples) > AMPLITUDE / 2) recorded.push(...samples);
    if (recorded.length >= LENGTH) return { samples: Float32Array.from(recorded.slice(-LENGTH)), rate: sample_rate };
  }
  throw new Error("the audio ended too early");
}
