import bytes from "playout.wasm";
import type { FromWorklet, ToWorklet, WorkletOptions } from "./messages.js";
import { Playout } from "./playout.js";
import { RingReader } from "./ring.js";
import { Volume } from "./volume.js";

/** The number of reports per second. */
const REPORT_RATE = 5;

const module = new WebAssembly.Module(bytes);

/**
 * Plays samples from a port (messages with chunks) or from a ring buffer in shared memory. It receives `ToWorklet` messages and
 * sends `FromWorklet` messages.
 */
class OrgoPlayer extends AudioWorkletProcessor {
  readonly #playout: Playout;
  readonly #volume: Volume;
  #ring: RingReader | undefined;
  #stopping = false;
  #sinceReport = 0;

  constructor({ processorOptions }: { processorOptions: WorkletOptions }) {
    super();
    this.#playout = new Playout(module, sampleRate, processorOptions.depth);
    this.#volume = new Volume(sampleRate, processorOptions.volume);
    this.port.onmessage = ({ data }) => this.#receive(data);
    this.#post({ type: "ready" });
  }

  #receive(message: ToWorklet): void {
    switch (message.type) {
      case "feed":
        message.port.onmessage = ({ data }) => this.#playout.push(data);
        if (message.ring !== undefined) this.#ring = new RingReader(message.ring);
        break;
      case "volume":
        this.#volume.rampTo(message.volume);
        break;
      case "pause":
        this.#playout.pause(message.paused);
        break;
      case "stop":
        this.#playout.stop();
        this.#stopping = true;
    }
  }

  process(_inputs: Float32Array[][], [output]: Float32Array[][]): boolean {
    if (output?.[0] === undefined) return true;
    if (this.#ring !== undefined) {
      this.#ring.drain((chunk) => this.#playout.push(chunk));
      this.#playout.addLost(this.#ring.takeLost());
    }
    this.#playout.pull(output);
    this.#volume.apply(output);
    this.#sinceReport += output[0].length;
    const ended = this.#stopping && this.#playout.stopped;
    if (ended || this.#sinceReport >= sampleRate / REPORT_RATE) {
      this.#sinceReport = 0;
      this.#post({ type: ended ? "stopped" : "stats", stats: this.#playout.report() });
    }
    return !ended;
  }

  #post(message: FromWorklet): void {
    this.port.postMessage(message);
  }
}

registerProcessor("orgo-player", OrgoPlayer);
