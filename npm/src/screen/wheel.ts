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

/** The distance of one step of the wheel, in CSS pixels. */
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

  turn(at: Point, { deltaX, deltaY, deltaMode }: Pick<WheelEvent, "deltaX" | "deltaY" | "deltaMode">): void {
    const unit = deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : deltaMode === WheelEvent.DOM_DELTA_PAGE ? PAGE : 1;
    this.move(at, notches(deltaX * unit), notches(deltaY * unit), STEP);
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

/** Adds a movement to the rest of the previous movements, unless the direction has changed. */
const add = (rest: number, movement: number) => (rest * movement < 0 ? 0 : rest) + movement;

/**
 * Rounds a large movement to whole steps. A notch of a wheel is one step, but its distance depends on the browser and on the zoom of
 * the page: 57 in Firefox, 100 or 120 in Chromium, half of it at 200 %.
 */
const notches = (distance: number) =>
  Math.abs(distance) < STEP / 2 ? distance : Math.trunc(distance / STEP + Math.sign(distance) / 2) * STEP;

const steps = (turned: number) => Math.min(Math.max(Math.trunc(turned), -MAX_STEPS), MAX_STEPS);
