import type { Api } from "../api/client.js";
import { explain, isRejectedInput } from "../api/problem.js";
import type { Computer } from "../api/types.js";
import { byId, setText } from "../ui/dom.js";
import type { Notices } from "../ui/notices.js";
import { type FeedFailure, type FeedStats, ScreenFeed } from "./feed.js";
import { setUpFullScreen } from "./full-screen.js";
import { Hint } from "./hint.js";
import { InputQueue } from "./input-queue.js";
import { KeyMenu } from "./key-menu.js";
import { Keyboard } from "./keyboard.js";
import { Overlay, type OverlayMessage } from "./overlay.js";
import { Pointer } from "./pointer.js";
import { PointerFeedback } from "./pointer-feedback.js";
import { ScreenshotSizing } from "./screenshot-sizing.js";
import { skippedMessage } from "./skipped-characters.js";

const INPUT = "send your input to the computer";
const REJECTED = "send one of your inputs";

/** The live screen of a computer, with pointer and keyboard input. */
export class ScreenPanel {
  readonly #api: Api;
  readonly #notices: Notices;
  readonly #stage = byId("screen-stage", HTMLDivElement);
  readonly #canvas = byId("screen-canvas", HTMLCanvasElement);
  readonly #rate = byId("screen-rate", HTMLSpanElement);
  readonly #latency = byId("screen-latency", HTMLSpanElement);
  readonly #full = byId("screen-full", HTMLButtonElement);
  readonly #overlay = new Overlay();
  readonly #hint = new Hint();
  readonly #sizing = new ScreenshotSizing();
  readonly #feed: ScreenFeed;
  readonly #queue: InputQueue;
  readonly #keyboard: Keyboard;
  readonly #keys: KeyMenu;
  #id: string | undefined;
  /** The id of the computer whose screenshot is drawn. */
  #drawnId: string | undefined;
  /** The `ETag` of the screenshot that is drawn. */
  #etag: string | undefined;
  #visible = false;
  #show!: () => void;
  /** Resolves when the first screenshot is shown. */
  readonly shown = new Promise<void>((resolve) => {
    this.#show = resolve;
  });

  /** @param onSuspectedOutage called when a failure suggests that the service is unreachable */
  constructor(api: Api, notices: Notices, onSuspectedOutage: () => void) {
    this.#api = api;
    this.#notices = notices;
    this.#feed = new ScreenFeed({
      fetch: (signal) => this.#fetch(signal),
      draw: (image) => this.#draw(image),
      onResponse: (stats) => this.#onResponse(stats),
      onSlow: (duration) => {
        onSuspectedOutage();
        if (this.#visible) setText(this.#latency, `${Math.floor(duration / 1000)} s…`);
      },
      onError: (error, failure) => {
        onSuspectedOutage();
        this.#onError(error, failure);
      },
    });
    this.#queue = new InputQueue({
      send: async (action, params) => {
        const skipped = skippedMessage(await this.#api.act(this.#id ?? "", action, params));
        if (skipped !== undefined) this.#hint.show(skipped);
      },
      onSent: () => {
        this.#notices.clear(INPUT);
        this.#feed.speedUp();
      },
      onError: (error) => {
        const onlyThisInput = isRejectedInput(error);
        if (!onlyThisInput) onSuspectedOutage();
        // Ignore errors of inputs that were pending when the computer stopped.
        if (this.#id !== undefined) this.#notices.fail(onlyThisInput ? REJECTED : INPUT, error);
        return onlyThisInput;
      },
    });
    const enabled = () => this.#visible;
    this.#keyboard = new Keyboard(this.#queue, this.#hint, enabled);
    const feedback = new PointerFeedback(byId("screen-feedback", SVGSVGElement));
    const size = () => this.#sizing.size ?? this.#canvas;
    new Pointer(this.#canvas, { queue: this.#queue, feedback, hint: this.#hint, size, enabled });
    this.#keys = new KeyMenu(this.#queue, enabled);
    setUpFullScreen(this.#stage, () => this.#keyboard.capture());
    this.#update();
  }

  /** Shows a running computer. */
  attach({ id, resolution }: Computer, message: OverlayMessage): void {
    if (this.#id === id) return;
    this.detach(message, id);
    this.#id = id;
    if (this.#drawnId !== id) this.#sizing.reset(resolution);
    this.#feed.start();
  }

  /**
   * Shows a message in place of the screen.
   *
   * @param id the selected computer; its last screenshot stays visible behind the message
   */
  detach(message: OverlayMessage, id: string | undefined): void {
    this.#feed.stop();
    this.#queue.clear();
    this.#id = undefined;
    this.#etag = undefined;
    if (this.#drawnId !== id) {
      this.#canvas.getContext("2d")?.reset();
      this.#drawnId = undefined;
    }
    this.#hide(message);
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
    const screen = this.#sizing.size ?? image;
    this.#stage.style.setProperty("--screen-ratio", `${screen.width} / ${screen.height}`);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#canvas.getContext("2d", { alpha: false })?.drawImage(image, 0, 0);
    this.#drawnId = this.#id;
  }

  #onResponse({ rate, latency }: FeedStats): void {
    setText(this.#rate, `${rate} fps`);
    setText(this.#latency, `${Math.round(latency)} ms`);
    if (this.#visible || this.#drawnId !== this.#id) return;
    this.#visible = true;
    this.#show();
    this.#overlay.hide();
    this.#update();
  }

  #onError(error: unknown, { count, delay }: FeedFailure): void {
    // A single failure does not release the keyboard.
    if (this.#visible && count === 1) {
      setText(this.#latency, `↻ ${Math.round(delay / 1000)} s`);
      return;
    }
    const { message, advice } = explain(error);
    this.#hide({
      text: "The screen could not be loaded.",
      detail: `${message}${advice === undefined ? "" : ` ${advice}`}`,
      action: { label: "Retry now", run: () => this.#feed.retry() },
    });
  }

  #hide(message: OverlayMessage): void {
    this.#visible = false;
    this.#overlay.show(message);
    setText(this.#rate, "");
    setText(this.#latency, "");
    this.#update();
  }

  /** Enables or disables the controls of the screen. */
  #update(): void {
    this.#full.disabled = !this.#visible;
    this.#keyboard.update();
    this.#keys.update();
  }
}
