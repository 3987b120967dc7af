import { APPLE } from "../ui/apple.js";
import { fit, isInside, type Point, pixelAt, type Rectangle, type Size } from "./geometry.js";
import type { Hint } from "./hint.js";
import type { InputQueue } from "./input-queue.js";
import type { Trace } from "./trace.js";

/** How far the pointer may move between down and up for a click, in CSS pixels. */
const STILL = 4;
/** The time and the distance between two clicks of a double click, in milliseconds and CSS pixels. */
const DOUBLE = { time: 400, distance: 6 };
/** How much turning of the wheel is one notch, in CSS pixels. */
const NOTCH = 100;
/** How far two fingers go for one notch, in CSS pixels. */
const FINGER_NOTCH = 30;
/** The height of a line for browsers that count the wheel's turning in lines. */
const LINE = NOTCH / 3;
/** The most notches in one call. */
const MOST = 20;
/** How long a finger rests for a click with the right button, in milliseconds. Not every browser opens a menu then. */
const FINGER_RESTS = 500;
/** How long the pointer rests before it is taken to point at something, in milliseconds. */
const RESTED = 1_200;
/** The longest that a drag is repeated, in seconds: its way counts, not how long somebody thought about it. */
const LONGEST_DRAG = 2;

interface Press {
  id: number;
  button: "left" | "right";
  start: Point;
  at: number;
  moved: boolean;
}

/** What the calls of a computer cannot do. */
const NOTES = {
  button: "Not sent: a computer has a left and a right mouse button here.",
  sideways: "Not sent: the wheel turns up and down only.",
  drag: "A drag is sent when you let go, as one straight line.",
  hover: "The pointer goes there when you click, drag or turn the wheel, not before.",
};

export interface PointerOptions {
  queue: InputQueue;
  trace: Trace;
  hint: Hint;
  /** How large the computer's screen is, which the picture of it may not be. */
  size(): Size;
  enabled(): boolean;
}

/** Passes clicks, drags and the wheel on the picture to the computer, in the pixels of its screen. */
export class Pointer {
  readonly #canvas: HTMLCanvasElement;
  readonly #queue: InputQueue;
  readonly #trace: Trace;
  readonly #hint: Hint;
  readonly #size: () => Size;
  #resting: number | undefined;
  #press: Press | undefined;
  #lastClick: (Point & { at: number }) | undefined;
  #wheel = 0;
  /** The places of two fingers, by the ids of their pointers, while they turn the wheel. */
  readonly #fingers = new Map<number, Point>();

  constructor(canvas: HTMLCanvasElement, { queue, trace, hint, size, enabled }: PointerOptions) {
    this.#canvas = canvas;
    this.#queue = queue;
    this.#trace = trace;
    this.#hint = hint;
    this.#size = size;
    canvas.addEventListener("pointerdown", (event) => enabled() && this.#down(event));
    canvas.addEventListener("pointermove", (event) => {
      this.#move(event);
      this.#rest(event, enabled);
    });
    canvas.addEventListener("pointerleave", () => clearTimeout(this.#resting));
    // The middle button would start the browser's own scrolling.
    canvas.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault());
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => {
      this.#fingers.delete(event.pointerId);
      this.#end();
    });
    canvas.addEventListener("contextmenu", (event) => this.#menu(event, enabled()));
    canvas.addEventListener("wheel", (event) => enabled() && this.#turn(event), { passive: false });
  }

  #down(event: PointerEvent): void {
    const start = pointOf(event);
    if (!isInside(start, this.#shown())) return;
    if (this.#press !== undefined || this.#fingers.size > 0) return this.#addFinger(event, start);
    clearTimeout(this.#resting);
    const button = buttonOf(event);
    if (button === undefined) return this.#hint.note(NOTES.button);
    this.#canvas.setPointerCapture(event.pointerId);
    this.#press = { id: event.pointerId, button, start, at: event.timeStamp, moved: false };
  }

  #move(event: PointerEvent): void {
    const press = this.#press;
    const point = pointOf(event);
    this.#pull(event.pointerId, point);
    if (press?.id !== event.pointerId) return;
    press.moved ||= distance(press.start, point) > STILL;
    if (press.moved) this.#trace.line(press.start, point);
  }

  #up(event: PointerEvent): void {
    const press = this.#press;
    this.#fingers.delete(event.pointerId);
    if (press?.id !== event.pointerId) return;
    this.#end();
    const end = pointOf(event);
    const held = heldKeys(event);
    if (held !== "") this.#hint.note(`Sent without ${held}: no key can be held during a click or a drag.`);
    if (press.moved) this.#drag(press, end, event.timeStamp);
    else this.#click(hasRested(event, press) ? "right" : press.button, press.start, event.timeStamp);
  }

  /** A second finger turns what the first one does into turning the wheel. */
  #addFinger(event: PointerEvent, start: Point): void {
    const press = this.#press;
    if (!isTouch(event) || press === undefined || press.moved) return;
    this.#end();
    this.#wheel = 0;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#fingers.set(press.id, press.start).set(event.pointerId, start);
  }

  /** Two fingers pull the picture with them. One that goes up while the other goes down turns nothing. */
  #pull(id: number, point: Point): void {
    const last = this.#fingers.get(id);
    if (last === undefined) return;
    this.#fingers.set(id, point);
    if (this.#fingers.size === 2) this.#scroll((last.y - point.y) / 2, FINGER_NOTCH, point);
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
    this.#hint.noteOnce(NOTES.drag);
  }

  /** Says once, when the pointer rests, that the computer does not see it. */
  #rest({ pointerType }: PointerEvent, enabled: () => boolean): void {
    clearTimeout(this.#resting);
    if (pointerType !== "mouse" || this.#press !== undefined || !enabled()) return;
    this.#resting = window.setTimeout(() => enabled() && this.#hint.noteOnce(NOTES.hover), RESTED);
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
    // With Control it is the browser's, which changes the size of the page.
    if (!isInside(point, this.#shown()) || event.ctrlKey) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return this.#hint.note(NOTES.sideways);
    const delta =
      event.deltaY *
      (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? NOTCH * 3 : 1);
    if (Math.sign(delta) !== Math.sign(this.#wheel)) this.#wheel = 0;
    this.#scroll(delta, NOTCH, point);
  }

  /** @param notch how much turning is one notch */
  #scroll(delta: number, notch: number, point: Point): void {
    this.#wheel += delta;
    const notches = Math.trunc(this.#wheel / notch);
    if (notches === 0) return;
    this.#wheel -= notches * notch;
    this.#queue.scroll({
      direction: notches < 0 ? "up" : "down",
      amount: Math.min(Math.abs(notches), MOST),
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

/** On an Apple computer a click with Control is one with the right button. */
function buttonOf({ button, ctrlKey }: PointerEvent): "left" | "right" | undefined {
  if (button === 0) return APPLE && ctrlKey ? "right" : "left";
  return button === 2 ? "right" : undefined;
}

/** The keys that are held during a click, in words. */
function heldKeys({ ctrlKey, shiftKey, altKey, metaKey }: PointerEvent): string {
  const keys = [ctrlKey && !APPLE && "Ctrl", shiftKey && "Shift", altKey && "Alt", metaKey && (APPLE ? "Command" : "Super")];
  return keys.filter(Boolean).join(" and ");
}

function hasRested(event: PointerEvent, { at }: Press): boolean {
  return isTouch(event) && event.timeStamp - at >= FINGER_RESTS;
}

function isTouch(event: MouseEvent): boolean {
  return event instanceof PointerEvent && event.pointerType === "touch";
}
