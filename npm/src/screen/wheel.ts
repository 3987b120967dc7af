export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Executes a command of the screen. */
export type Send = (name: string, argument: object) => void;

/**
 * What browsers report for one notch of a wheel in `wheelDeltaX` and `wheelDeltaY`. The distance in pixels depends on the browser, the
 * system, the zoom and, in WebKit for GTK, on the size of the page.
 */
const NOTCH = 120;
/** The distance of one step for movements that are not notches, such as those of a touchpad, in CSS pixels. */
const STEP = 100;
/** The distance of a line and of a page, for browsers that report these units, in CSS pixels. */
const LINE = STEP / 3;
const PAGE = STEP * 3;
/** The largest number of steps of one command. */
const MAX_STEPS = 100;

/** Turns the wheel by whole steps. Smaller movements add up. */
export class Wheel {
  readonly #send: Send;
  #x = 0;
  #y = 0;

  constructor(send: Send) {
    this.#send = send;
  }

  turn(at: Point, event: WheelEvent): void {
    const { deltaX, deltaY, deltaMode } = event;
    const { wheelDeltaX, wheelDeltaY } = event as WheelEvent & { wheelDeltaX?: number; wheelDeltaY?: number };
    const unit = deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : deltaMode === WheelEvent.DOM_DELTA_PAGE ? PAGE : 1;
    const [x, y] = [deltaX * unit, deltaY * unit];
    this.move(at, notches(x, wheelDeltaX) ?? x, notches(y, wheelDeltaY) ?? y, STEP);
  }

  /** Adds a movement. `step` is the distance of one step. */
  move(at: Point, x: number, y: number, step: number): void {
    this.#x = add(this.#x, x / step);
    this.#y = add(this.#y, y / step);
    const [dx, dy] = [steps(this.#x), steps(this.#y)];
    // Steps above the limit are dropped: later movements must not turn the wheel further.
    this.#x %= 1;
    this.#y %= 1;
    if (dx !== 0 || dy !== 0) this.#send("wheel", { ...at, dx, dy });
  }
}

/**
 * Returns the distance of whole notches of a wheel, or `undefined` for other movements: those of a touchpad, for which browsers report
 * three times the distance, and those of a user or a program that wants several steps for a notch.
 */
function notches(pixels: number, wheelDelta = 0): number | undefined {
  // Chromium on Linux divides both numbers by the zoom of the page: they are 60 at 200 %.
  const isZoomed = wheelDelta === -pixels && Math.abs(pixels) < STEP * 2;
  const count = isZoomed ? Math.sign(pixels) : -wheelDelta / NOTCH;
  const each = pixels / count;
  const isNotch = Number.isInteger(count) && each > STEP / 3 && each < STEP * 2 && wheelDelta !== -3 * pixels;
  return isNotch ? count * STEP : undefined;
}

/** Adds a movement to the rest of the previous movements, unless the direction has changed. */
const add = (rest: number, movement: number) => (rest * movement < 0 ? 0 : rest) + movement;

const steps = (turned: number) => Math.min(Math.max(Math.trunc(turned), -MAX_STEPS), MAX_STEPS);
