// Tracks the largest step between consecutive samples, and reports this step on request. Also records samples on request.
class Tap extends AudioWorkletProcessor {
  #last;
  #largest = 0;
  #record = [];
  #recordLength = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data === "step") {
        this.port.postMessage(this.#largest);
        this.#largest = 0;
      } else {
        this.#recordLength = data;
      }
    };
  }

  process([[samples]]) {
    for (const sample of samples ?? []) {
      this.#largest = Math.max(this.#largest, Math.abs(sample - (this.#last ?? sample)));
      this.#last = sample;
    }
    if (this.#recordLength > 0) {
      this.#record.push(...(samples ?? []));
      if (this.#record.length >= this.#recordLength) {
        this.port.postMessage(Float32Array.from(this.#record.splice(0)));
        this.#recordLength = 0;
      }
    }
    return true;
  }
}

registerProcessor("tap", Tap);
