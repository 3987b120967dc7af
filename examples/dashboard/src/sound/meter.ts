import { byId } from "../ui/dom.js";

/** The softest level that is shown, in decibels below the loudest. */
const FLOOR = -60;
/** How fast the bar falls, in decibels per second. */
const FALL = 40;
/** How long the highest peak stays, in milliseconds. */
const HOLD = 1_200;

/** A level meter: the bar is the loudness, coloured from -12 dB and from -3 dB, the line the highest peak of late. */
export class Meter {
  readonly #meter = byId("sound-meter", HTMLDivElement);
  readonly #canvas = byId("sound-meter-canvas", HTMLCanvasElement);
  #level = FLOOR;
  #wanted = FLOOR;
  #peak = FLOOR;
  #peakAt = 0;
  #frame: number | undefined;
  #last = 0;

  /** Shows a level; both are amplitudes from 0 to 1. */
  set(rms: number, peak: number): void {
    this.#wanted = decibels(rms);
    const now = performance.now();
    if (decibels(peak) >= this.#peak || now - this.#peakAt > HOLD) {
      this.#peak = decibels(peak);
      this.#peakAt = now;
    }
    const shown = Math.round(this.#wanted);
    this.#meter.setAttribute("aria-valuenow", String(shown));
    this.#meter.setAttribute("aria-valuetext", shown <= FLOOR ? "silence" : `${shown} decibels`);
    if (this.#frame === undefined) {
      this.#last = now;
      this.#frame = requestAnimationFrame((at) => this.#draw(at));
    }
  }

  #draw(now: number): void {
    const fall = (FALL * Math.max(now - this.#last, 0)) / 1000;
    this.#last = now;
    this.#level = Math.max(this.#wanted, this.#level - fall);
    if (now - this.#peakAt > HOLD) this.#peak = Math.max(this.#level, this.#peak - fall);
    this.#paint();
    const resting = this.#level <= FLOOR && this.#peak <= FLOOR && this.#wanted <= FLOOR;
    this.#frame = resting ? undefined : requestAnimationFrame((at) => this.#draw(at));
  }

  #paint(): void {
    const { clientWidth, clientHeight } = this.#canvas;
    const scale = devicePixelRatio;
    const [width, height] = [Math.round(clientWidth * scale), Math.round(clientHeight * scale)];
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    const style = getComputedStyle(this.#meter);
    const at = (level: number) => ((level - FLOOR) / -FLOOR) * width;
    context.clearRect(0, 0, width, height);
    for (const [from, to, colour] of [
      [FLOOR, -12, "--good"],
      [-12, -3, "--busy"],
      [-3, 0, "--bad"],
    ] as const) {
      context.fillStyle = style.getPropertyValue(colour);
      context.fillRect(at(from), 0, Math.max(at(Math.min(this.#level, to)) - at(from), 0), height);
    }
    if (this.#peak > FLOOR) {
      context.fillStyle = style.getPropertyValue("--text");
      context.fillRect(Math.min(at(this.#peak), width - 2 * scale), 0, 2 * scale, height);
    }
  }
}

function decibels(amplitude: number): number {
  return Math.min(Math.max(20 * Math.log10(Math.max(amplitude, 1e-9)), FLOOR), 0);
}
