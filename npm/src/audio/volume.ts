/** The time constant of a change, in seconds: a step would be heard as a click. */
const RAMP = 0.01;
/** What is nearer is there. */
const NEAR = 1e-5;

/**
 * The volume, changed sample by sample. A browser's own gain changes when its two threads have agreed on a time, which is
 * too late for a ramp in some.
 */
export class Volume {
  readonly #share: number;
  #now: number;
  #wanted: number;

  /** For samples at `rate` per second and channel; 1 leaves them as they are. */
  constructor(rate: number, volume: number) {
    this.#share = 1 - Math.exp(-1 / (RAMP * rate));
    this.#now = volume;
    this.#wanted = volume;
  }

  /** Goes to another volume from here on. */
  change(volume: number): void {
    this.#wanted = volume;
  }

  /** Changes samples in place, an array for each channel. */
  apply(channels: Float32Array[]): void {
    const from = this.#now;
    for (const samples of channels) {
      // Every channel goes the same way.
      this.#now = from;
      for (let at = 0; at < samples.length; at++) {
        this.#now += (this.#wanted - this.#now) * this.#share;
        samples[at] = (samples[at] ?? 0) * this.#now;
      }
    }
    if (Math.abs(this.#wanted - this.#now) < NEAR) this.#now = this.#wanted;
  }
}
