// Records its input: for every block, the time, a sample value and the duration of silence.
/** The number of messages to the page per second. */
const MESSAGES_PER_SECOND = 4;
/** The minimum number of consecutive zero samples that count as silence. A resampled step can have one or two zero samples. */
const MIN_SILENCE = 4;

function silence(samples) {
  let [silent, run] = [0, 0];
  for (const [at, sample] of samples.entries()) {
    const zero = Math.abs(sample) < 1e-4;
    if (zero) run += 1;
    if (zero && at + 1 < samples.length) continue;
    if (run >= MIN_SILENCE) silent += run;
    run = 0;
  }
  return silent;
}

class Tap extends AudioWorkletProcessor {
  #blocks = [];

  process([input]) {
    const samples = input[0];
    if (samples === undefined) return true;
    const middle = samples.length / 2;
    const value = samples[middle];
    // Near the boundary of two frames, the value is not constant, so it does not identify a frame.
    const clear = Math.abs(samples[middle - 8] - value) < 1e-4 && Math.abs(samples[middle + 8] - value) < 1e-4;
    this.#blocks.push([Date.now(), clear ? value : null, silence(samples) / sampleRate]);
    if (this.#blocks.length > sampleRate / samples.length / MESSAGES_PER_SECOND) this.port.postMessage(this.#blocks.splice(0));
    return true;
  }
}

registerProcessor("tap", Tap);
