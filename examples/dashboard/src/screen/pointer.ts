import type { InputQueue } from "./input-queue.js";
import { fit, isInside, pixelAt, type Point, type Rectangle } from "./geometry.js";
import type { Trace } from "./trace.js";

/** How far the pointer may move between down and up for a click, in CSS pixels. */
const STILL = 4;
/** The time and the distance between two clicks of a double click, in milliseconds and CSS pixels. */
const DOUBLE = { time: 400, distance: 6 };
/** How much turning of the wheel is one notch, in CSS pixels. */
const NOTCH = 100;
/** The height of a line for browsers that count the wheel's turning in lines. */
const LINE = NOTCH / 3;
/** The most notches in one call. */
const MOST = 20;
/** The longest that a drag is repeated, in seconds: its way counts, not how long somebody thought about it. */
const LONGEST_DRAG = 2;

interface Press {
  id: number;
  button: "left" | "right";
  start: Point;
  at: number;
  moved: boolean;
}

/** Passes clicks, drags and the wheel on the picture to the computer, in the pixels of its screen. */
export class Pointer {
  readonly #canvas: HTMLCanvasElement;
  readonly #queue: InputQueue;
  readonly #trace: Trace;
  #press: Press | undefined;
  #lastClick: (Point & { at: number }) | undefined;
  #wheel = 0;

  constructor(canvas: HTMLCanvasElement, queue: InputQueue, trace: Trace, enabled: () => boolean) {
    this.#canvas = canvas;
    this.#queue = queue;
    this.#trace = trace;
    canvas.addEventListener("pointerdown", (event) => enabled() && this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", () => this.#end());
    canvas.addEventListener("contextmenu", (event) => this.#menu(event, enabled()));
    canvas.addEventListener("wheel", (event) => enabled() && this.#turn(event), { passive: false });
  }

  #down(event: PointerEvent): void {
    const start = pointOf(event);
    if (this.#press !== undefined || !isInside(start, this.#shown())) return;
    const button = event.button === 0 ? "left" : event.button === 2 ? "right" : undefined;
    if (button === undefined) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#press = { id: event.pointerId, button, start, at: event.timeStamp, moved: false };
  }

  #move(event: PointerEvent): void {
    const press = this.#press;
    if (press?.id !== event.pointerId) return;
    const point = pointOf(event);
    press.moved ||= distance(press.start, point) > STILL;
    if (press.moved) this.#trace.line(press.start, point);
  }

  #up(event: PointerEvent): void {
    const press = this.#press;
    if (press?.id !== event.pointerId) return;
    this.#end();
    const end = pointOf(event);
    if (press.moved) this.#drag(press, end, event.timeStamp);
    else this.#click(press.button, press.start, event.timeStamp);
  }

  #end(): void {
    this.#press = undefined;
    this.#trace.clear();
  }

  #drag({ button, start, at }: Press, end: Point, endedAt: number): void {
    const [from, to] = [this.#pixel(start), this.#pixel(end)];
    const duration = Math.min(Math.max((endedAt - at) / 1000, 0.1), LONGEST_DRAG);
    this.#queue.drag({
      start_x: from.x,
      start_y: from.y,
      end_x: to.x,
      end_y: to.y,
      button,
      duration: Number(duration.toFixed(2)),
    });
    this.#lastClick = undefined;
  }

  #click(button: "left" | "right", point: Point, at: number): void {
    const last = this.#lastClick;
    const second =
      button === "left" && last !== undefined && at - last.at < DOUBLE.time && distance(last, point) < DOUBLE.distance;
    // A third click begins anew.
    this.#lastClick = button === "left" && !second ? { ...point, at } : undefined;
    this.#trace.ripple(point);
    this.#queue.click({ ...this.#pixel(point), button, second });
  }

  /** A mouse has a button for it; a finger that rests on the screen means the same. */
  #menu(event: MouseEvent, enabled: boolean): void {
    event.preventDefault();
    const press = this.#press;
    if (!enabled || press === undefined || press.button === "right" || !isTouch(event)) return;
    this.#end();
    this.#click("right", press.start, event.timeStamp);
  }

  #turn(event: WheelEvent): void {
    const point = pointOf(event);
    // The computer's wheel turns in one direction only.
    if (!isInside(point, this.#shown()) || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    const delta =
      event.deltaY *
      (event.deltaMode === WheelEvent.DOM_DELTA_LINE
        ? LINE
        : event.deltaMode === WheelEvent.DOM_DELTA_PAGE
          ? NOTCH * 3
          : 1);
    if (Math.sign(delta) !== Math.sign(this.#wheel)) this.#wheel = 0;
    this.#wheel += delta;
    const notches = Math.trunc(this.#wheel / NOTCH);
    if (notches === 0) return;
    this.#wheel -= notches * NOTCH;
    this.#queue.scroll({
      direction: notches < 0 ? "up" : "down",
      amount: Math.min(Math.abs(notches), MOST),
      ...this.#pixel(point),
    });
  }

  #shown(): Rectangle {
    const { x, y, width, height } = this.#canvas.getBoundingClientRect();
    return fit(this.#canvas, { x, y, width, height });
  }

  #pixel(point: Point): Point {
    return pixelAt(point, this.#shown(), this.#canvas);
  }
}

function pointOf(event: MouseEvent): Point {
  return { x: event.clientX, y: event.clientY };
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

function isTouch(event: MouseEvent): boolean {
  return event instanceof PointerEvent && event.pointerType === "touch";
}
