// A plain ring buffer in a worklet. It starts to play when enough samples are buffered, buffers again after an underrun,
// and drops the oldest samples when the buffer is much too full.
const TARGET = 0.06;
const MAX_BUFFERED = TARGET + 0.25;

class Ring extends AudioWorkletProcessor {
  #samples = new Float32Array(2 * 96_000);
  #written = 0;
  #read = 0;
  #playing = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      for (const sample of data) this.#samples[this.#written++ % this.#samples.length] = sample;
      if (this.#written - this.#read > MAX_BUFFERED * sampleRate) this.#read = this.#written - TARGET * sampleRate;
    };
  }

  process(_, [[output]]) {
    if (!this.#playing && this.#written - this.#read >= TARGET * sampleRate) this.#playing = true;
    for (let at = 0; at < output.length && this.#playing; at += 1) {
      if (this.#read === this.#written) this.#playing = false;
      else output[at] = this.#samples[this.#read++ % this.#samples.length];
    }
    return true;
  }
}

registerProcessor("ring", Ring);
