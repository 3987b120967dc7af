import type { Api } from "../api/client.js";
import { paragraph } from "../api/problem.js";
import type { Session } from "../channel/session.js";
import { byId } from "../ui/dom.js";
import { type FeedFailure, type FeedStats, ScreenFeed } from "./feed.js";
import type { Hint } from "./hint.js";
import type { InputQueue } from "./input-queue.js";
import { Keyboard } from "./keyboard.js";
import type { ModeListener, Scale, ScreenMode } from "./mode.js";
import { Pointer } from "./pointer.js";
import { PointerFeedback } from "./pointer-feedback.js";
import { ScreenshotSizing } from "./screenshot-sizing.js";

/** Shows the screen as a series of screenshots. Each screenshot and each input is a call of the API. */
export class ApiMode implements ScreenMode {
  readonly #api: Api;
  readonly #queue: InputQueue;
  readonly #listener: ModeListener;
  readonly #canvas = byId("screen-canvas", HTMLCanvasElement);
  readonly #sizing = new ScreenshotSizing();
  readonly #feed: ScreenFeed;
  readonly #keyboard: Keyboard;
  #id: string | undefined;
  /** The id of the computer whose screenshot is drawn. */
  #drawnId: string | undefined;
  /** The `ETag` of the screenshot that is drawn. */
  #etag: string | undefined;
  #visible = false;
  #input = true;
  #scale: Scale = "fit";

  constructor(api: Api, queue: InputQueue, hint: Hint, listener: ModeListener) {
    this.#api = api;
    this.#queue = queue;
    this.#listener = listener;
    this.#feed = new ScreenFeed({
      fetch: (signal) => this.#fetch(signal),
      draw: (image) => this.#draw(image),
      onResponse: (stats) => this.#onResponse(stats),
      onSlow: (duration) => {
        listener.onSuspectedOutage();
        if (this.#visible) listener.onStats({ detail: `${Math.floor(duration / 1000)} s…` });
      },
      onError: (error, failure) => {
        listener.onSuspectedOutage();
        this.#onError(error, failure);
      },
    });
    const enabled = () => this.#visible && this.#input;
    this.#keyboard = new Keyboard(queue, hint, enabled, () => listener.onCapture());
    const feedback = new PointerFeedback(byId("screen-feedback", SVGSVGElement));
    const size = () => this.#sizing.size ?? this.#canvas;
    new Pointer(this.#canvas, { queue, feedback, hint, size, enabled });
    // Zooming the page changes the size of a pixel of the display.
    window.addEventListener("resize", () => this.#layOut());
  }

  get captured(): boolean {
    return this.#keyboard.captured;
  }

  /**
   * Shows a computer.
   *
   * @param resolution the initial resolution of the computer, see {@link ScreenshotSizing.reset}
   */
  start(id: string, _session: Session, resolution?: string): void {
    this.stop();
    this.clear(id);
    this.#id = id;
    if (this.#drawnId !== id) this.#sizing.reset(resolution);
    this.#feed.start();
  }

  stop(): void {
    this.#feed.stop();
    this.#queue.clear();
    this.#id = undefined;
    this.#etag = undefined;
    this.#visible = false;
    this.#keyboard.update();
  }

  clear(id?: string): void {
    if (this.#drawnId === id) return;
    this.#canvas.getContext("2d")?.reset();
    this.#drawnId = undefined;
  }

  /** Does nothing: the feed retries by itself. */
  retry(): void {}

  setInput(enabled: boolean): void {
    this.#input = enabled;
    this.#keyboard.update();
    if (!enabled) this.#queue.clear();
  }

  setScale(scale: Scale): void {
    this.#scale = scale;
    this.#layOut();
  }

  key(name: string): void {
    this.#queue.key(name);
  }

  capture(): void {
    this.#keyboard.capture();
  }

  /** Refreshes the screen more often for a short time. Called when the screen is likely to change. */
  speedUp(): void {
    this.#feed.speedUp();
  }

  async #fetch(signal: AbortSignal): Promise<Blob | undefined> {
    const { clientWidth, clientHeight } = this.#canvas;
    const view = { width: clientWidth * devicePixelRatio, height: clientHeight * devicePixelRatio };
    const request = { ...this.#sizing.request(view), etag: this.#etag };
    const screenshot = await this.#api.screenshot(this.#id ?? "", request, signal);
    if (screenshot === undefined || signal.aborted) return undefined;
    this.#etag = screenshot.etag;
    return screenshot.blob;
  }

  #draw(image: ImageBitmap): void {
    const { width, height } = image;
    if (!this.#sizing.accept(image)) {
      // The scale of the screenshot is unknown, so its points cannot be mapped to the screen. Fetch it again at full size.
      this.#etag = undefined;
      return;
    }
    this.#listener.onSize(this.#sizing.size ?? image);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#canvas.getContext("2d", { alpha: false })?.drawImage(image, 0, 0);
    this.#drawnId = this.#id;
    this.#layOut();
  }

  #layOut(): void {
    const { width, height } = this.#sizing.size ?? this.#canvas;
    const exact = this.#scale === "1:1";
    this.#canvas.style.width = exact ? `${width / devicePixelRatio}px` : "";
    this.#canvas.style.height = exact ? `${height / devicePixelRatio}px` : "";
  }

  #onResponse({ rate, latency }: FeedStats): void {
    this.#listener.onStats({ rate: `${rate} fps`, detail: `${Math.round(latency)} ms` });
    if (this.#visible || this.#drawnId !== this.#id) return;
    this.#visible = true;
    this.#listener.onShown();
  }

  #onError(error: unknown, { count, delay }: FeedFailure): void {
    // A single failure does not release the keyboard.
    if (this.#visible && count === 1) {
      this.#listener.onStats({ detail: `↻ ${Math.round(delay / 1000)} s` });
      return;
    }
    this.#visible = false;
    this.#listener.onHidden({
      text: "The screen could not be loaded.",
      detail: paragraph(error),
      action: { label: "Retry now", run: () => this.#feed.retry() },
    });
  }
}
