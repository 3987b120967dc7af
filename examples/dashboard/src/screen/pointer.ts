import { APPLE } from "../ui/apple.js";
import { fit, isInside, type Point, pixelAt, type Rectangle, type Size } from "./geometry.js";
import type { Hint } from "./hint.js";
import type { InputQueue } from "./input-queue.js";
import type { PointerFeedback } from "./pointer-feedback.js";

/** The maximum pointer movement of a click, in CSS pixels. A larger movement is a drag. */
const CLICK_TOLERANCE = 4;
/** The maximum time and distance between the clicks of a double click, in milliseconds and CSS pixels. */
const DOUBLE_CLICK = { time: 400, distance: 6 };
/** The wheel delta of one notch, in CSS pixels. */
const NOTCH = 100;
/** The distance by which two fingers must move to scroll by one notch, in CSS pixels. */
const FINGER_NOTCH = 30;
/** The height of a line for browsers that report wheel deltas in lines, in CSS pixels. */
const LINE = NOTCH / 3;
/** The maximum number of notches in one call. */
const MAX_NOTCHES = 20;
/** The minimum duration of a long press, which is a right click, in milliseconds. Not all browsers fire `contextmenu` for it. */
const LONG_PRESS = 500;
/** The time for which the pointer must rest before the hover hint is shown, in milliseconds. */
const HOVER_DELAY = 1_200;
/** The maximum duration of a drag on the computer, in seconds. A slower drag is sent with this duration. */
const MAX_DRAG_DURATION = 2;

interface Press {
  id: number;
  button: "left" | "right";
  start: Point;
  at: number;
  moved: boolean;
}

/** Hints for inputs that the API of a computer does not support. */
const HINTS = {
  button: "Not sent. Only the left and right mouse buttons are supported.",
  horizontal: "Not sent. Only vertical scrolling is supported.",
  drag: "A drag is sent as one straight line when you release the button.",
  hover: "The pointer moves on the computer only when you click, drag or scroll.",
};

export interface PointerOptions {
  queue: InputQueue;
  feedback: PointerFeedback;
  hint: Hint;
  /** The size of the computer's screen. The screenshot may be smaller. */
  size(): Size;
  enabled(): boolean;
}

/** Sends clicks, drags and scrolling on the screen to the computer. Converts page coordinates to screen pixels. */
export class Pointer {
  readonly #canvas: HTMLCanvasElement;
  readonly #queue: InputQueue;
  readonly #feedback: PointerFeedback;
  readonly #hint: Hint;
  readonly #size: () => Size;
  #hoverTimer: number | undefined;
  #press: Press | undefined;
  #lastClick: (Point & { at: number }) | undefined;
  #wheel = 0;
  /** The positions of two scrolling fingers, by pointer id. */
  readonly #fingers = new Map<number, Point>();

  constructor(canvas: HTMLCanvasElement, { queue, feedback, hint, size, enabled }: PointerOptions) {
    this.#canvas = canvas;
    this.#queue = queue;
    this.#feedback = feedback;
    this.#hint = hint;
    this.#size = size;
    canvas.addEventListener("pointerdown", (event) => {
      if (enabled()) this.#down(event);
      // A click before this one and a click after it are not a double click.
      else this.#lastClick = undefined;
    });
    canvas.addEventListener("pointermove", (event) => {
      this.#move(event);
      this.#scheduleHoverHint(event, enabled);
    });
    canvas.addEventListener("pointerleave", () => clearTimeout(this.#hoverTimer));
    // Prevent autoscrolling with the middle button.
    canvas.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault());
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => {
      this.#fingers.delete(event.pointerId);
      this.#end();
    });
    canvas.addEventListener("contextmenu", (event) => this.#onContextMenu(event, enabled()));
    canvas.addEventListener("wheel", (event) => enabled() && this.#onWheel(event), { passive: false });
  }

  #down(event: PointerEvent): void {
    const start = pointOf(event);
    if (!isInside(start, this.#shown())) return;
    if (this.#press !== undefined || this.#fingers.size > 0) {
      this.#addFinger(event, start);
      return;
    }
    clearTimeout(this.#hoverTimer);
    const button = buttonOf(event);
    if (button === undefined) {
      this.#hint.show(HINTS.button);
      return;
    }
    this.#canvas.setPointerCapture(event.pointerId);
    this.#press = { id: event.pointerId, button, start, at: event.timeStamp, moved: false };
  }

  #move(event: PointerEvent): void {
    const press = this.#press;
    const point = pointOf(event);
    this.#moveFinger(event.pointerId, point);
    if (press?.id !== event.pointerId) return;
    press.moved ||= distance(press.start, point) > CLICK_TOLERANCE;
    if (press.moved) this.#feedback.line(press.start, point);
  }

  #up(event: PointerEvent): void {
    const press = this.#press;
    this.#fingers.delete(event.pointerId);
    if (press?.id !== event.pointerId) return;
    this.#end();
    const end = pointOf(event);
    const held = heldKeys(event);
    if (held !== "") this.#hint.show(`Sent without ${held}. Modifier keys are not supported for clicks and drags.`);
    if (press.moved) this.#drag(press, end, event.timeStamp);
    else this.#click(isLongPress(event, press) ? "right" : press.button, press.start, event.timeStamp);
  }

  /** Starts scrolling if a second finger touches the screen before the first one has moved. */
  #addFinger(event: PointerEvent, start: Point): void {
    const press = this.#press;
    if (!isTouch(event) || press === undefined || press.moved) return;
    this.#end();
    this.#wheel = 0;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#fingers.set(press.id, press.start).set(event.pointerId, start);
  }

  /** Scrolls by the average movement of two fingers. Opposite movements cancel out. */
  #moveFinger(id: number, point: Point): void {
    const last = this.#fingers.get(id);
    if (last === undefined) return;
    this.#fingers.set(id, point);
    if (this.#fingers.size === 2) this.#scroll((last.y - point.y) / 2, FINGER_NOTCH, point);
  }

  #end(): void {
    this.#press = undefined;
    this.#feedback.clear();
  }

  #drag({ button, start, at }: Press, end: Point, endedAt: number): void {
    const [from, to] = [this.#pixel(start), this.#pixel(end)];
    const duration = Math.min(Math.max((endedAt - at) / 1000, 0.1), MAX_DRAG_DURATION);
    this.#queue.drag({
      start_x: from.x,
      start_y: from.y,
      end_x: to.x,
      end_y: to.y,
      button,
      duration: Number(duration.toFixed(2)),
    });
    this.#lastClick = undefined;
    this.#hint.showOnce(HINTS.drag);
  }

  /** Shows the hover hint once when the pointer rests on the screen. */
  #scheduleHoverHint({ pointerType }: PointerEvent, enabled: () => boolean): void {
    clearTimeout(this.#hoverTimer);
    if (pointerType !== "mouse" || this.#press !== undefined || !enabled()) return;
    this.#hoverTimer = window.setTimeout(() => enabled() && this.#hint.showOnce(HINTS.hover), HOVER_DELAY);
  }

  #click(button: "left" | "right", point: Point, at: number): void {
    const last = this.#lastClick;
    const second =
      button === "left" &&
      last !== undefined &&
      at - last.at < DOUBLE_CLICK.time &&
      distance(last, point) < DOUBLE_CLICK.distance;
    // A third click starts a new double click.
    this.#lastClick = button === "left" && !second ? { ...point, at } : undefined;
    this.#feedback.ripple(point);
    this.#queue.click({ ...this.#pixel(point), button, second });
  }

  /** Handles `contextmenu`. Sends a right click for a long press. The mouse has separate button events. */
  #onContextMenu(event: MouseEvent, enabled: boolean): void {
    event.preventDefault();
    const press = this.#press;
    if (!enabled || press === undefined || press.button === "right" || !isTouch(event)) return;
    this.#end();
    this.#click("right", press.start, event.timeStamp);
  }

  #onWheel(event: WheelEvent): void {
    const point = pointOf(event);
    // The browser handles Control with the wheel: it zooms the page.
    if (!isInside(point, this.#shown()) || event.ctrlKey) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.#hint.show(HINTS.horizontal);
      return;
    }
    const delta =
      event.deltaY *
      (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? NOTCH * 3 : 1);
    if (Math.sign(delta) !== Math.sign(this.#wheel)) this.#wheel = 0;
    this.#scroll(delta, NOTCH, point);
  }

  /** Adds a wheel delta and scrolls by whole notches. `notch` is the delta of one notch. */
  #scroll(delta: number, notch: number, point: Point): void {
    this.#wheel += delta;
    const notches = Math.trunc(this.#wheel / notch);
    if (notches === 0) return;
    this.#wheel -= notches * notch;
    this.#queue.scroll({
      direction: notches < 0 ? "up" : "down",
      amount: Math.min(Math.abs(notches), MAX_NOTCHES),
      ...this.#pixel(point),
    });
  }

  #shown(): Rectangle {
    const { x, y, width, height } = this.#canvas.getBoundingClientRect();
    return fit(this.#size(), { x, y, width, height });
  }

  #pixel(point: Point): Point {
    return pixelAt(point, this.#shown(), this.#size());
  }
}

function pointOf(event: MouseEvent): Point {
  return { x: event.clientX, y: event.clientY };
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

/** Returns the button of a pointer event. On Apple computers, Control with a click is a right click. */
function buttonOf({ button, ctrlKey }: PointerEvent): "left" | "right" | undefined {
  if (button === 0) return APPLE && ctrlKey ? "right" : "left";
  return button === 2 ? "right" : undefined;
}

/** Returns the names of the modifier keys that are held during a click. */
function heldKeys({ ctrlKey, shiftKey, altKey, metaKey }: PointerEvent): string {
  const keys = [ctrlKey && !APPLE && "Ctrl", shiftKey && "Shift", altKey && "Alt", metaKey && (APPLE ? "Command" : "Super")];
  return keys.filter(Boolean).join(" and ");
}

function isLongPress(event: PointerEvent, { at }: Press): boolean {
  return isTouch(event) && event.timeStamp - at >= LONG_PRESS;
}

function isTouch(event: MouseEvent): boolean {
  return event instanceof PointerEvent && event.pointerType === "touch";
}
