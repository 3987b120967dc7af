// Records its input: the time, a value and the duration of silence of every block.
/** The number of messages to the page per second. */
const MESSAGES_PER_SECOND = 4;
/** The minimum number of zero samples that count as silence. A resampled step can cross zero for one or two samples. */
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
    // At the boundary of two frames there is no clear value.
    const clear = Math.abs(samples[middle - 8] - value) < 1e-4 && Math.abs(samples[middle + 8] - value) < 1e-4;
    this.#blocks.push([Date.now(), clear ? value : null, silence(samples) / sampleRate]);
    if (this.#blocks.length > sampleRate / samples.length / MESSAGES_PER_SECOND) this.port.postMessage(this.#blocks.splice(0));
    return true;
  }
}

registerProcessor("tap", Tap);
