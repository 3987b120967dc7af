// Passes the mouse, the pen, the fingers and the wheel to the computer.

import { type StartPan, Touch } from "./touch.js";
import { type Point, type Send, type Size, Wheel } from "./wheel.js";

/** The bit of each button in `PointerEvent.buttons`. */
const BUTTONS: [number, string][] = [
  [1, "left"],
  [2, "right"],
  [4, "middle"],
  [8, "back"],
  [16, "forward"],
];
/** The bit in `PointerEvent.buttons` of each value of `PointerEvent.button`. */
const BITS = [1, 4, 2, 8, 16];

export class Pointer {
  readonly #canvas: HTMLCanvasElement;
  readonly #size: () => Size;
  readonly #send: Send;
  readonly #wheel: Wheel;
  readonly #touch: Touch;
  /** The held buttons, as the bits of `PointerEvent.buttons`. */
  #buttons = 0;
  enabled = false;

  constructor(canvas: HTMLCanvasElement, size: () => Size, send: Send, startPan: StartPan) {
    this.#canvas = canvas;
    this.#size = size;
    this.#send = send;
    this.#wheel = new Wheel(send);
    this.#touch = new Touch(send, this.#wheel, startPan);
  }

  /** Adds the listeners. `onDown` is called when a pointer is pressed on the screen. */
  listen(signal: AbortSignal, onDown: (event: PointerEvent) => void): void {
    const canvas = this.#canvas;
    const on = <Name extends keyof HTMLElementEventMap>(name: Name, handle: (event: HTMLElementEventMap[Name]) => void) =>
      canvas.addEventListener(name, (event) => this.enabled && handle(event), { signal, passive: false });
    on("pointerdown", (event) => {
      if (this.#pixel(event) === undefined) return;
      // A synthetic event has no pointer to capture.
      if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
      onDown(event);
      this.#handle(event);
    });
    for (const name of ["pointermove", "pointerup"] as const) on(name, (event) => this.#handle(event));
    on("pointercancel", (event) => {
      this.#touch.cancel(event.pointerId);
      this.release();
    });
    on("wheel", (event) => {
      const at = this.#pixel(event);
      if (at === undefined) return;
      event.preventDefault();
      this.#wheel.turn(at, event);
    });
    // The browser would move the focus, scroll with the middle button, and navigate with the buttons back and forward.
    for (const name of ["mousedown", "mouseup", "auxclick", "contextmenu", "dragstart"] as const) {
      on(name, (event) => event.preventDefault());
    }
  }

  /** Releases the buttons that this view holds. */
  release(): void {
    this.#touch.release();
    for (const [bit, button] of BUTTONS) if (this.#buttons & bit) this.#send("up", { button });
    this.#buttons = 0;
  }

  #handle(event: PointerEvent): void {
    const at = this.#pixel(event, this.#buttons !== 0 || event.pointerType === "touch");
    if (at === undefined) return;
    event.preventDefault();
    if (event.pointerType === "touch") this.#touch.handle(event, at);
    else this.#follow(at, event);
  }

  /** Moves the pointer, and presses and releases the buttons that have changed. */
  #follow(at: Point, event: PointerEvent): void {
    // A button that was pressed outside the view belongs to the page, for example to a selection of text.
    const starts = event.type === "pointerdown" || this.#buttons !== 0;
    const buttons = event.buttons & (this.#buttons | (starts ? (BITS[event.button] ?? 0) : 0));
    const changed = this.#buttons ^ buttons;
    this.#buttons = buttons;
    // A release has no position: if the screen has become smaller in the meantime, only the move is refused.
    if (changed === 0 || changed & ~buttons) this.#send("move", at);
    for (const [bit, button] of BUTTONS) {
      if (changed & buttons & bit) this.#send("down", { ...at, button });
      else if (changed & bit) this.#send("up", { button });
    }
  }

  /** Returns the pixel of the screen under an event. Outside the screen, returns the nearest one if `clamp` is set. */
  #pixel({ clientX, clientY }: MouseEvent, clamp = false): Point | undefined {
    const { width, height } = this.#size();
    const box = this.#canvas.getBoundingClientRect();
    // The screen is centered in the canvas, like `object-fit: contain`.
    const scale = Math.min(box.width / width, box.height / height);
    if (!(scale > 0)) return undefined;
    const x = Math.floor((clientX - box.x - (box.width - width * scale) / 2) / scale);
    const y = Math.floor((clientY - box.y - (box.height - height * scale) / 2) / scale);
    const inside = x >= 0 && y >= 0 && x < width && y < height;
    if (!inside && !clamp) return undefined;
    return { x: Math.min(Math.max(x, 0), width - 1), y: Math.min(Math.max(y, 0), height - 1) };
  }
}
