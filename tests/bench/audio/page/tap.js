// Says what it hears: for every block a value and the time.
const REPORTS = 4;
/** A resampled step swings through zero, for a sample or two: less than so many are no silence. */
const SILENCE = 4;

function silence(samples) {
  let [silent, run] = [0, 0];
  for (const [at, sample] of samples.entries()) {
    const zero = Math.abs(sample) < 1e-4;
    if (zero) run += 1;
    if (zero && at + 1 < samples.length) continue;
    if (run >= SILENCE) silent += run;
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
    // Where one frame meets the next it is neither.
    const clear = Math.abs(samples[middle - 8] - value) < 1e-4 && Math.abs(samples[middle + 8] - value) < 1e-4;
    this.#blocks.push([Date.now(), clear ? value : null, silence(samples) / sampleRate]);
    if (this.#blocks.length > sampleRate / samples.length / REPORTS) this.port.postMessage(this.#blocks.splice(0));
    return true;
  }
}

registerProcessor("tap", Tap);
