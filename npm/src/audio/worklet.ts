import bytes from "playout.wasm";
import type { FromWorklet, ToWorklet, WorkletOptions } from "./messages.js";
import { Playout } from "./playout.js";
import { RingReader } from "./ring.js";
import { Volume } from "./volume.js";

/** How often figures are reported, per second. */
const REPORTS = 5;

const module = new WebAssembly.Module(bytes);

/**
 * Plays what it is fed with, by a port (messages of samples) or a ring in shared memory. Messages in: `feed`,
 * `volume`, `pause`, `stop`. Messages out: `hello` once it runs, `stats`, and `stopped` once it has faded out.
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
    this.#tell({ type: "hello" });
  }

  #receive(message: ToWorklet): void {
    switch (message.type) {
      case "feed":
        message.port.onmessage = ({ data }) => this.#playout.push(data);
        if (message.ring !== undefined) this.#ring = new RingReader(message.ring);
        break;
      case "volume":
        this.#volume.change(message.volume);
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
      this.#playout.lose(this.#ring.lost());
    }
    this.#playout.pull(output);
    this.#volume.apply(output);
    this.#sinceReport += output[0].length;
    const ended = this.#stopping && this.#playout.stopped;
    if (ended || this.#sinceReport >= sampleRate / REPORTS) {
      this.#sinceReport = 0;
      this.#tell({ type: ended ? "stopped" : "stats", stats: this.#playout.report() });
    }
    return !ended;
  }

  #tell(message: FromWorklet): void {
    this.port.postMessage(message);
  }
}

registerProcessor("orgo-player", OrgoPlayer);
