// Keeps the largest step from one sample to the next, and gives it when it is asked.
class Tap extends AudioWorkletProcessor {
  #last;
  #largest = 0;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.port.postMessage(this.#largest);
      this.#largest = 0;
    };
  }

  process([[samples]]) {
    for (const sample of samples ?? []) {
      this.#largest = Math.max(this.#largest, Math.abs(sample - (this.#last ?? sample)));
      this.#last = sample;
    }
    return true;
  }
}

registerProcessor("tap", Tap);
