import type { Point, Send, Wheel } from "./wheel.js";

/** The largest movement of a finger that still counts as a tap, in CSS pixels. */
const TOLERANCE = 10;
/** The time after which a finger that rests is a right click, in milliseconds. */
const LONG_PRESS = 500;
/** The distance by which two fingers move to scroll by one step, in CSS pixels. */
const SCROLL_STEP = 30;

interface Finger {
  start: { x: number; y: number };
  last: { x: number; y: number };
  at: Point;
}

/**
 * Starts to scroll the view. The result scrolls it to a distance from its current position, and returns whether it has left that
 * position. A view that shows the whole screen, or is at its end, does not.
 */
export type StartPan = () => Pan;
type Pan = (x: number, y: number) => boolean;

/**
 * Recognizes gestures: a tap is a click, a long press or a tap with two fingers is a right click, a movement with one finger is a
 * drag, and a movement with two fingers scrolls the view if possible, else it turns the wheel.
 */
export class Touch {
  readonly #send: Send;
  readonly #wheel: Wheel;
  readonly #startPan: StartPan;
  #pan: Pan | undefined;
  #panned = { x: 0, y: 0 };
  readonly #fingers = new Map<number, Finger>();
  #gesture: "none" | "press" | "drag" | "two" | "pan" | "scroll" | "done" = "none";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: Send, wheel: Wheel, startPan: StartPan) {
    this.#send = send;
    this.#wheel = wheel;
    this.#startPan = startPan;
  }

  handle(event: PointerEvent, at: Point): void {
    if (event.type === "pointerdown") this.#down(event, at);
    else if (event.type === "pointermove") this.#move(event, at);
    else this.#up(event, at);
  }

  cancel(id: number): void {
    this.#fingers.delete(id);
  }

  release(): void {
    if (this.#gesture === "drag") this.#send("up", {});
    this.#end();
    this.#fingers.clear();
  }

  #down({ pointerId, isPrimary, clientX: x, clientY: y }: PointerEvent, at: Point): void {
    // The first finger on the display. The browser does not report the end of a touch whose element was removed.
    if (isPrimary) this.release();
    this.#fingers.set(pointerId, { start: { x, y }, last: { x, y }, at });
    if (this.#fingers.size === 1) {
      this.#gesture = "press";
      this.#timer = setTimeout(() => {
        this.#gesture = "done";
        this.#send("click", { ...at, button: "right" });
      }, LONG_PRESS);
    } else {
      clearTimeout(this.#timer);
      this.#gesture = this.#gesture === "press" && this.#fingers.size === 2 ? "two" : this.#gesture;
    }
  }

  #move({ pointerId, clientX: x, clientY: y }: PointerEvent, at: Point): void {
    const finger = this.#fingers.get(pointerId);
    if (finger === undefined) return;
    const moved = Math.hypot(x - finger.start.x, y - finger.start.y) > TOLERANCE;
    if (this.#gesture === "press" && moved) {
      clearTimeout(this.#timer);
      this.#gesture = "drag";
      this.#send("down", { ...finger.at });
    }
    if (this.#gesture === "drag") this.#send("move", at);
    // Each finger adds half of the movement, so opposite movements cancel out.
    const [dx, dy] = [(finger.last.x - x) / 2, (finger.last.y - y) / 2];
    if (this.#gesture === "two" && moved) {
      this.#panned = { x: (finger.start.x - x) / 2, y: (finger.start.y - y) / 2 };
      this.#pan = this.#startPan();
      this.#gesture = this.#pan(this.#panned.x, this.#panned.y) ? "pan" : "scroll";
    } else if (this.#gesture === "pan") {
      // The sum, because browsers round each position.
      this.#panned = { x: this.#panned.x + dx, y: this.#panned.y + dy };
      this.#pan?.(this.#panned.x, this.#panned.y);
    }
    if (this.#gesture === "scroll") this.#wheel.move(at, dx, dy, SCROLL_STEP);
    finger.last = { x, y };
  }

  #up({ pointerId }: PointerEvent, at: Point): void {
    const finger = this.#fingers.get(pointerId);
    if (!this.#fingers.delete(pointerId) || finger === undefined) return;
    if (this.#gesture === "press") this.#send("click", { ...finger.at });
    if (this.#gesture === "two") {
      this.#send("click", { ...finger.at, button: "right" });
      this.#gesture = "done";
    }
    if (this.#gesture === "drag") {
      this.#send("move", at);
      this.#send("up", {});
      this.#gesture = "done";
    }
    if (this.#fingers.size === 0) this.#end();
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#gesture = "none";
  }
}
