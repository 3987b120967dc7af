// Draws a screen on the canvases of its views.

import type { ScreenObject } from "./glue.js";
import type { ViewCanvas } from "./messages.js";

/** The time after an input during which updates are drawn immediately, because they may be its effect, in milliseconds. */
const EAGER = 200;
/** The shortest frame of a display for which waiting pays off, in milliseconds. */
const FRAME = 16;
/**
 * The longest wait for a frame of the display, in milliseconds. A worker of a hidden page gets no frames, but a view of the screen can
 * be visible in another window.
 */
const MAX_WAIT = 100;

type Context = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

interface View {
  canvas: ViewCanvas;
  context: Context;
  visible: boolean;
}

/** Draws the changed rectangles of complete updates. */
export class Painter {
  readonly #screen: ScreenObject;
  readonly #memory: WebAssembly.Memory;
  readonly #onError: (error: Error) => void;
  readonly #views = new Map<number, View>();
  #pixels: ImageData | undefined;
  #address = 0;
  #frame = 0;
  #frameTimer: ReturnType<typeof setTimeout> | undefined;
  #lastDraw = 0;
  #eagerUntil = 0;

  /** @param onError Receives an error of a frame. */
  constructor(screen: ScreenObject, memory: WebAssembly.Memory, onError: (error: Error) => void) {
    this.#screen = screen;
    this.#memory = memory;
    this.#onError = onError;
  }

  get hasViews(): boolean {
    return this.#views.size > 0;
  }

  /** Whether the user sees a view. */
  get isVisible(): boolean {
    return [...this.#views.values()].some(({ visible }) => visible);
  }

  show(view: number, canvas: ViewCanvas): void {
    // The compiler does not know that both kinds of canvas have the same contexts.
    const context = (canvas as HTMLCanvasElement).getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
    this.#views.set(view, { canvas, context, visible: true });
    // The browser clears the canvas when it replaces a graphics process or driver that failed.
    canvas.addEventListener("contextrestored", () => this.#restart());
    this.#restart();
  }

  setVisible(id: number, visible: boolean): void {
    const view = this.#views.get(id);
    if (view === undefined || view.visible === visible) return;
    view.visible = visible;
    this.#restart();
  }

  hide(view: number): void {
    this.#views.delete(view);
    if (!this.hasViews) this.#screen.stopDrawing();
  }

  /** Reports an input: the next updates are drawn immediately. */
  expectUpdate(): void {
    this.#eagerUntil = performance.now() + EAGER;
  }

  /** Reports that the screen may have changed. */
  update(): void {
    if (!this.isVisible) return;
    const now = performance.now();
    if (now < this.#eagerUntil || now - this.#lastDraw >= FRAME) this.#draw();
    else if (this.#frame === 0) {
      this.#frame = requestAnimationFrame(() => this.#drawFrame());
      this.#frameTimer = setTimeout(() => this.#drawFrame(), MAX_WAIT);
    }
  }

  #drawFrame(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#frameTimer);
    this.#frame = 0;
    try {
      // If a part of the next update has arrived, nothing is drawn: the end of that update is drawn immediately.
      if (!this.#draw()) this.#lastDraw = 0;
    } catch (error) {
      this.#onError(error as Error);
    }
  }

  /** Draws the whole screen again. */
  #restart(): void {
    this.#screen.startDrawing();
    this.#lastDraw = 0;
    this.update();
  }

  #draw(): boolean {
    const drawing = this.#screen.pollDrawing();
    if (drawing === undefined) return false;
    const [address, width, height] = drawing as Iterable<number> as [number, number, number];
    const pixels = this.#read(address, width, height);
    for (const { canvas, context, visible } of this.#views.values()) {
      if (!visible) continue;
      if (canvas.width !== width || canvas.height !== height) {
        Object.assign(canvas, { width, height });
        context.putImageData(pixels, 0, 0);
        continue;
      }
      for (let at = 3; at < drawing.length; at += 4) {
        const changed = drawing.slice(at, at + 4) as Iterable<number> as [number, number, number, number];
        context.putImageData(pixels, 0, 0, ...changed);
      }
    }
    this.#lastDraw = performance.now();
    return true;
  }

  /** Returns the pixels in the memory of the module. */
  #read(address: number, width: number, height: number): ImageData {
    const last = this.#pixels;
    const { buffer } = this.#memory;
    // The memory gets a new buffer when it grows.
    if (last?.data.buffer === buffer && this.#address === address && last.width === width && last.height === height) return last;
    this.#address = address;
    this.#pixels = new ImageData(new Uint8ClampedArray(buffer, address, width * height * 4), width, height);
    return this.#pixels;
  }
}
