import type { Chunk, Depth, Report } from "./messages.js";

/** The maximum number of samples that one call passes to the module. */
const MAX_PIECE = 16_384;

/** The exports of the WebAssembly module, see wasm/playout. `playout` is the address of an instance. */
interface Exports {
  memory: WebAssembly.Memory;
  create(inputRate: number, channels: number, outputRate: number, initial: number, minimum: number): number;
  input(playout: number, samples: number): number;
  push(playout: number): void;
  splice(playout: number): void;
  pull(playout: number, frames: number, channels: number): number;
  stop(playout: number): void;
  stopped(playout: number): number;
  report(playout: number): number;
}

/** The names of the values in a report of the module, in order. */
const REPORT_FIELDS = [
  ...(["received", "played", "buffered", "dropped", "concealed", "underruns"] as const),
  ...(["target", "rate", "playing", "peak", "power"] as const),
] as const;
type ReportField = (typeof REPORT_FIELDS)[number];

/** Plays audio in one format, with its own instance of the module. */
class Segment {
  readonly inputRate: number;
  readonly channels: number;
  readonly #exports: Exports;
  readonly #playout: number;
  /** A view of the memory of the module, whose buffer is replaced when it grows. */
  #memory = new Float32Array();

  constructor(module: WebAssembly.Module, inputRate: number, channels: number, outputRate: number, depth: Depth) {
    this.inputRate = inputRate;
    this.channels = channels;
    this.#exports = new WebAssembly.Instance(module).exports as unknown as Exports;
    this.#playout = this.#exports.create(inputRate, channels, outputRate, depth.initial, depth.minimum);
  }

  push(samples: Float32Array): void {
    const size = MAX_PIECE - (MAX_PIECE % this.channels);
    for (let from = 0; from < samples.length; from += size) {
      const piece = samples.subarray(from, from + size);
      const address = this.#exports.input(this.#playout, piece.length);
      this.#floats().set(piece, address / Float32Array.BYTES_PER_ELEMENT);
      this.#exports.push(this.#playout);
    }
  }

  splice(): void {
    this.#exports.splice(this.#playout);
  }

  pull(output: Float32Array[]): void {
    const frames = output[0]?.length ?? 0;
    let index = this.#exports.pull(this.#playout, frames, output.length) / Float32Array.BYTES_PER_ELEMENT;
    const memory = this.#floats();
    // Copies in a loop, because views would create garbage on the audio thread.
    for (const channel of output) {
      for (let frame = 0; frame < frames; frame++) channel[frame] = memory[index++] ?? 0;
    }
  }

  stop(): void {
    this.#exports.stop(this.#playout);
  }

  get stopped(): boolean {
    return this.#exports.stopped(this.#playout) !== 0;
  }

  report(): Report {
    const address = this.#exports.report(this.#playout);
    const values = new Float64Array(this.#exports.memory.buffer, address, REPORT_FIELDS.length);
    const report = Object.fromEntries(REPORT_FIELDS.map((name, at) => [name, values[at] ?? 0])) as Record<ReportField, number>;
    const { playing, power, ...rest } = report;
    return { ...rest, playing: playing !== 0, rms: Math.sqrt(power) };
  }

  #floats(): Float32Array {
    const { buffer } = this.#exports.memory;
    if (this.#memory.buffer !== buffer) this.#memory = new Float32Array(buffer);
    return this.#memory;
  }
}

/** The counts that are summed over all segments. */
const COUNTS = ["received", "played", "dropped", "concealed", "underruns"] as const;

/**
 * Plays audio with the playout of the core, and adds pauses and changes of the format. A segment fades out before the next
 * segment starts.
 */
export class Playout {
  readonly #module: WebAssembly.Module;
  readonly #outputRate: number;
  readonly #depth: Depth;
  /** The segment that is playing, followed by the segments that start after it. */
  #segments: Segment[] = [];
  #paused = false;
  #ended = { received: 0, played: 0, dropped: 0, concealed: 0, underruns: 0 };

  /** @param outputRate The sample rate of the audio device, in Hz. */
  constructor(module: WebAssembly.Module, outputRate: number, depth: Depth) {
    this.#module = module;
    this.#outputRate = outputRate;
    this.#depth = depth;
  }

  /** Adds samples. */
  push({ samples, sample_rate, channels, discontinuity }: Chunk): void {
    let segment = this.#segments.at(-1);
    if (segment?.inputRate !== sample_rate || segment.channels !== channels) {
      segment?.stop();
      segment = new Segment(this.#module, sample_rate, channels, this.#outputRate, this.#depth);
      if (this.#paused) segment.stop();
      this.#segments.push(segment);
    }
    if (discontinuity) segment.splice();
    segment.push(samples);
  }

  /** Counts frames that were lost before they reached the playout. */
  addLost(frames: number): void {
    if (frames === 0) return;
    this.#ended.received += frames;
    this.#ended.dropped += frames;
    this.#segments.at(-1)?.splice();
  }

  /** Fills the next output block. `output` contains one array for each channel. Mono audio is played on all channels. */
  pull(output: Float32Array[]): void {
    for (let [first] = this.#segments; this.#segments.length > 1 && first?.stopped; [first] = this.#segments) {
      const report = first.report();
      for (const name of COUNTS) this.#ended[name] += report[name];
      this.#ended.dropped += report.buffered;
      this.#segments.shift();
    }
    this.#segments[0]?.pull(output);
  }

  /** Pauses or continues playback. A pause fades out and drops the samples that arrive until playback continues. */
  pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    const segment = this.#segments.at(-1);
    if (segment === undefined) return;
    if (paused) segment.stop();
    else this.#segments.push(new Segment(this.#module, segment.inputRate, segment.channels, this.#outputRate, this.#depth));
  }

  /** Fades out permanently. */
  stop(): void {
    this.pause(true);
  }

  /** Whether the fade-out is complete. */
  get stopped(): boolean {
    return this.#segments.every((segment) => segment.stopped);
  }

  /** Returns the statistics of all segments. The levels cover the time since the last report. */
  report(): Report {
    const reports = this.#segments.map((segment) => segment.report());
    const last = reports.at(-1) ?? { target: this.#depth.initial, rate: 1 };
    const report: Report = {
      ...this.#ended,
      playing: false,
      buffered: 0,
      target: last.target,
      rate: last.rate,
      peak: 0,
      rms: 0,
    };
    for (const each of reports) {
      for (const name of COUNTS) report[name] += each[name];
      report.buffered += each.buffered;
      report.playing ||= each.playing;
      // Segments play one after the other. The loudest segment determines the levels.
      report.peak = Math.max(report.peak, each.peak);
      report.rms = Math.max(report.rms, each.rms);
    }
    return report;
  }
}
