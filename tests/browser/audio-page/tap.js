// Keeps the largest step from one sample to the next, and gives it when it is asked; records so many samples when it is
// asked for them.
class Tap extends AudioWorkletProcessor {
  #last;
  #largest = 0;
  #record = [];
  #wanted = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data === "step") {
        this.port.postMessage(this.#largest);
        this.#largest = 0;
      } else {
        this.#wanted = data;
      }
    };
  }

  process([[samples]]) {
    for (const sample of samples ?? []) {
      this.#largest = Math.max(this.#largest, Math.abs(sample - (this.#last ?? sample)));
      this.#last = sample;
    }
    if (this.#wanted > 0) {
      this.#record.push(...(samples ?? []));
      if (this.#record.length >= this.#wanted) {
        this.port.postMessage(Float32Array.from(this.#record.splice(0)));
        this.#wanted = 0;
      }
    }
    return true;
  }
}

registerProcessor("tap", Tap);
