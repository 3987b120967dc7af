/** The time constant of a change, in seconds. An instant change would be audible as a click. */
const TIME_CONSTANT = 0.01;
/** The difference below which the target counts as reached. */
const EPSILON = 1e-5;

/**
 * Applies a volume with an exponential ramp. A `GainNode` is not suitable: in some browsers the start time of its ramp has passed
 * when it reaches the audio thread.
 */
export class Volume {
  readonly #coefficient: number;
  #current: number;
  #target: number;

  /** @param rate The sample rate in Hz. */
  constructor(rate: number, volume: number) {
    this.#coefficient = 1 - Math.exp(-1 / (TIME_CONSTANT * rate));
    this.#current = volume;
    this.#target = volume;
  }

  /** Starts a ramp to another volume. */
  rampTo(volume: number): void {
    this.#target = volume;
  }

  /** Multiplies the samples by the volume, in place. `channels` contains one array for each channel. */
  apply(channels: Float32Array[]): void {
    const start = this.#current;
    for (const samples of channels) {
      // The ramp is the same for all channels.
      this.#current = start;
      for (let at = 0; at < samples.length; at++) {
        this.#current += (this.#target - this.#current) * this.#coefficient;
        samples[at] = (samples[at] ?? 0) * this.#current;
      }
    }
    if (Math.abs(this.#target - this.#current) < EPSILON) this.#current = this.#target;
  }
}
