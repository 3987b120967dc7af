import { byId } from "../ui/dom.js";

/** The lowest level of the meter, in dBFS. */
const FLOOR = -60;
/** The fall rate of the bar, in decibels per second. */
const FALL = 40;
/** The time for which the peak marker stays before it falls, in milliseconds. */
const HOLD = 1_200;

/** A level meter. The bar shows the RMS level and changes color at -12 dBFS and -3 dBFS. The line shows the recent peak. */
export class Meter {
  readonly #meter = byId("audio-meter", HTMLDivElement);
  readonly #canvas = byId("audio-meter-canvas", HTMLCanvasElement);
  #level = FLOOR;
  #target = FLOOR;
  #peak = FLOOR;
  #peakAt = 0;
  #frame: number | undefined;
  #last = 0;

  /** Shows the RMS level and the peak level. Both are amplitudes relative to full scale (1). */
  set(rms: number, peak: number): void {
    this.#target = decibels(rms);
    const now = performance.now();
    if (decibels(peak) >= this.#peak || now - this.#peakAt > HOLD) {
      this.#peak = decibels(peak);
      this.#peakAt = now;
    }
    const shown = Math.round(this.#target);
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
    this.#level = Math.max(this.#target, this.#level - fall);
    if (now - this.#peakAt > HOLD) this.#peak = Math.max(this.#level, this.#peak - fall);
    this.#paint();
    const resting = this.#level <= FLOOR && this.#peak <= FLOOR && this.#target <= FLOOR;
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
    for (const [from, to, color] of [
      [FLOOR, -12, "--good"],
      [-12, -3, "--busy"],
      [-3, 0, "--bad"],
    ] as const) {
      context.fillStyle = style.getPropertyValue(color);
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
