import type { Chunk, Depth, Report } from "./messages.js";

/** The most samples that are handed to the module at once. */
const PIECE = 16_384;

/** The functions of the module, see wasm/playout. A playout is a number to JavaScript. */
interface Core {
  memory: WebAssembly.Memory;
  create(inputRate: number, channels: number, outputRate: number, first: number, least: number): number;
  input(playout: number, samples: number): number;
  push(playout: number): void;
  splice(playout: number): void;
  pull(playout: number, frames: number, channels: number): number;
  stop(playout: number): void;
  stopped(playout: number): number;
  report(playout: number): number;
}

/** What the module reports, in its order. */
const FIGURES = [
  ...(["received", "played", "buffered", "dropped", "concealed", "underruns"] as const),
  ...(["target", "rate", "playing", "peak", "power"] as const),
] as const;
type Figure = (typeof FIGURES)[number];

/** Sound of one format: an instance of the module. */
class Part {
  readonly inputRate: number;
  readonly channels: number;
  readonly #core: Core;
  readonly #playout: number;
  /** Its memory, which moves when it grows. */
  #memory = new Float32Array();

  constructor(module: WebAssembly.Module, inputRate: number, channels: number, outputRate: number, depth: Depth) {
    this.inputRate = inputRate;
    this.channels = channels;
    this.#core = new WebAssembly.Instance(module).exports as unknown as Core;
    this.#playout = this.#core.create(inputRate, channels, outputRate, depth.first, depth.least);
  }

  push(samples: Float32Array): void {
    const size = PIECE - (PIECE % this.channels);
    for (let from = 0; from < samples.length; from += size) {
      const piece = samples.subarray(from, from + size);
      const place = this.#core.input(this.#playout, piece.length);
      this.#floats().set(piece, place / Float32Array.BYTES_PER_ELEMENT);
      this.#core.push(this.#playout);
    }
  }

  splice(): void {
    this.#core.splice(this.#playout);
  }

  pull(output: Float32Array[]): void {
    const frames = output[0]?.length ?? 0;
    let from = this.#core.pull(this.#playout, frames, output.length) / Float32Array.BYTES_PER_ELEMENT;
    const memory = this.#floats();
    // No view for each block: the thread of the sound card should have nothing to collect.
    for (const channel of output) {
      for (let frame = 0; frame < frames; frame++) channel[frame] = memory[from++] ?? 0;
    }
  }

  stop(): void {
    this.#core.stop(this.#playout);
  }

  get stopped(): boolean {
    return this.#core.stopped(this.#playout) !== 0;
  }

  report(): Report {
    const place = this.#core.report(this.#playout);
    const figures = new Float64Array(this.#core.memory.buffer, place, FIGURES.length);
    const report = Object.fromEntries(FIGURES.map((name, at) => [name, figures[at] ?? 0])) as Record<Figure, number>;
    const { playing, power, ...rest } = report;
    return { ...rest, playing: playing !== 0, rms: Math.sqrt(power) };
  }

  #floats(): Float32Array {
    const { buffer } = this.#core.memory;
    if (this.#memory.buffer !== buffer) this.#memory = new Float32Array(buffer);
    return this.#memory;
  }
}

/** The counts that outlast a part. */
const COUNTS = ["received", "played", "dropped", "concealed", "underruns"] as const;

/** The core's playout, through pauses and changes of the format: each of them fades out before the next one begins. */
export class Playout {
  readonly #module: WebAssembly.Module;
  readonly #outputRate: number;
  readonly #depth: Depth;
  /** The one that sounds, and those that wait for it to end. */
  #parts: Part[] = [];
  #paused = false;
  #ended = { received: 0, played: 0, dropped: 0, concealed: 0, underruns: 0 };

  /** Frames are asked for at `outputRate` per second. */
  constructor(module: WebAssembly.Module, outputRate: number, depth: Depth) {
    this.#module = module;
    this.#outputRate = outputRate;
    this.#depth = depth;
  }

  /** Takes what the network brought. */
  push({ samples, sample_rate, channels, begins }: Chunk): void {
    let part = this.#parts.at(-1);
    if (part?.inputRate !== sample_rate || part.channels !== channels) {
      part?.stop();
      part = new Part(this.#module, sample_rate, channels, this.#outputRate, this.#depth);
      if (this.#paused) part.stop();
      this.#parts.push(part);
    }
    if (begins) part.splice();
    part.push(samples);
  }

  /** So many frames came that nobody could take. */
  lose(frames: number): void {
    if (frames === 0) return;
    this.#ended.received += frames;
    this.#ended.dropped += frames;
    this.#parts.at(-1)?.splice();
  }

  /** Fills what the sound card asks for, an array for each channel. A mono sound goes to all of them. */
  pull(output: Float32Array[]): void {
    for (let [first] = this.#parts; this.#parts.length > 1 && first?.stopped; [first] = this.#parts) {
      const figures = first.report();
      for (const name of COUNTS) this.#ended[name] += figures[name];
      this.#ended.dropped += figures.buffered;
      this.#parts.shift();
    }
    this.#parts[0]?.pull(output);
  }

  /** Fades out and drops what comes, until it is to go on: then with what comes then. */
  pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    const part = this.#parts.at(-1);
    if (part === undefined) return;
    if (paused) part.stop();
    else this.#parts.push(new Part(this.#module, part.inputRate, part.channels, this.#outputRate, this.#depth));
  }

  /** Fades out for good. */
  stop(): void {
    this.pause(true);
  }

  /** Whether there is nothing but silence any more. */
  get stopped(): boolean {
    return this.#parts.every((part) => part.stopped);
  }

  /** The figures so far, of all formats; the loudness is that since the last report. */
  report(): Report {
    const reports = this.#parts.map((part) => part.report());
    const last = reports.at(-1) ?? { target: this.#depth.first, rate: 1 };
    const report: Report = {
      ...this.#ended,
      playing: false,
      buffered: 0,
      target: last.target,
      rate: last.rate,
      peak: 0,
      rms: 0,
    };
    for (const part of reports) {
      for (const name of COUNTS) report[name] += part[name];
      report.buffered += part.buffered;
      report.playing ||= part.playing;
      // Only one of them was heard.
      report.peak = Math.max(report.peak, part.peak);
      report.rms = Math.max(report.rms, part.rms);
    }
    return report;
  }
}
