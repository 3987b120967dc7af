// @ts-check
import { Playout } from "./playout.js";

/* global AudioWorkletProcessor, registerProcessor, sampleRate */

/** How often figures are reported, per second. */
const REPORTS = 5;

/** Plays what its port brings. Messages in: `samples`, `stop`. Messages out: `hello` once it runs, `stats`. */
class OrgoPlayer extends AudioWorkletProcessor {
  /** @type {Playout | undefined} */
  #playout;
  #running = true;
  #sinceReport = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#receive(data);
    this.port.postMessage({ type: "hello" });
  }

  /** @param {{ type: string, samples: Float32Array, sample_rate: number, channels: number }} message */
  #receive({ type, samples, sample_rate, channels }) {
    if (type === "stop") {
      this.#running = false;
      return;
    }
    if (this.#playout?.inputRate !== sample_rate || this.#playout.channels !== channels) {
      this.#playout = new Playout(sample_rate, channels, sampleRate);
    }
    this.#playout.push(samples);
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, [output]) {
    if (this.#playout === undefined || output === undefined) return this.#running;
    this.#playout.pull(output);
    this.#sinceReport += output[0].length;
    if (this.#sinceReport >= sampleRate / REPORTS) {
      this.#sinceReport = 0;
      this.port.postMessage({ type: "stats", ...this.#playout.report() });
    }
    return this.#running;
  }
}

registerProcessor("orgo-player", OrgoPlayer);
