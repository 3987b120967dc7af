import type { Api } from "../api/client.js";
import { explain, isRefusal } from "../api/problem.js";
import type { Computer } from "../api/types.js";
import { byId, setText } from "../ui/dom.js";
import type { Notices } from "../ui/notices.js";
import { Cover, type CoverWords } from "./cover.js";
import { Detail } from "./detail.js";
import { type FeedFailure, type FeedFigures, ScreenFeed } from "./feed.js";
import { setUpFullScreen } from "./full-screen.js";
import { Hint } from "./hint.js";
import { InputQueue } from "./input-queue.js";
import { KeyMenu } from "./key-menu.js";
import { Keyboard } from "./keyboard.js";
import { leftOutWords } from "./left-out.js";
import { Pointer } from "./pointer.js";
import { Trace } from "./trace.js";

const INPUT = "Passing your input to the computer";
const REFUSED = "One of your inputs was refused, which";

/** The live screen of a computer, with pointer and keyboard passed through. */
export class ScreenPanel {
  readonly #api: Api;
  readonly #notices: Notices;
  readonly #stage = byId("screen-stage", HTMLDivElement);
  readonly #canvas = byId("screen-canvas", HTMLCanvasElement);
  readonly #rate = byId("screen-rate", HTMLSpanElement);
  readonly #latency = byId("screen-latency", HTMLSpanElement);
  readonly #full = byId("screen-full", HTMLButtonElement);
  readonly #cover = new Cover();
  readonly #hint = new Hint();
  readonly #detail = new Detail();
  readonly #feed: ScreenFeed;
  readonly #queue: InputQueue;
  readonly #keyboard: Keyboard;
  readonly #keys: KeyMenu;
  #id: string | undefined;
  /** The computer of the picture that is drawn, and the server's name of that. */
  #drawn: string | undefined;
  #tag: string | undefined;
  #visible = false;
  #show!: () => void;
  /** Resolves at the first picture. */
  readonly shown = new Promise<void>((resolve) => {
    this.#show = resolve;
  });

  /** @param doubtful is called when a failure may mean that the service is gone */
  constructor(api: Api, notices: Notices, doubtful: () => void) {
    this.#api = api;
    this.#notices = notices;
    this.#feed = new ScreenFeed({
      take: (signal) => this.#take(signal),
      draw: (picture) => this.#draw(picture),
      arrived: (figures) => this.#arrived(figures),
      late: (duration) => {
        doubtful();
        if (this.#visible) setText(this.#latency, `${Math.floor(duration / 1000)} s…`);
      },
      failed: (error, failure) => {
        doubtful();
        this.#failed(error, failure);
      },
    });
    this.#queue = new InputQueue({
      send: async (action, params) => {
        const leftOut = leftOutWords(await this.#api.act(this.#id ?? "", action, params));
        if (leftOut !== undefined) this.#hint.note(leftOut);
      },
      sent: () => {
        this.#notices.clear(INPUT);
        this.#feed.hurry();
      },
      failed: (error) => {
        const alone = isRefusal(error);
        if (!alone) doubtful();
        // What was under way when the computer stopped is of no interest.
        if (this.#id !== undefined) this.#notices.fail(alone ? REFUSED : INPUT, error);
        return alone;
      },
    });
    const enabled = () => this.#visible;
    this.#keyboard = new Keyboard(this.#queue, this.#hint, enabled);
    const trace = new Trace(byId("screen-trace", SVGSVGElement));
    const size = () => this.#detail.size ?? this.#canvas;
    new Pointer(this.#canvas, { queue: this.#queue, trace, hint: this.#hint, size, enabled });
    this.#keys = new KeyMenu(this.#queue, enabled);
    setUpFullScreen(this.#stage, () => this.#keyboard.take());
    this.#update();
  }

  /** Shows a running computer. */
  attach({ id, resolution }: Computer, words: CoverWords): void {
    if (this.#id === id) return;
    this.detach(words, id);
    this.#id = id;
    if (this.#drawn !== id) this.#detail.begin(resolution);
    this.#feed.start();
  }

  /**
   * Shows words where the screen was.
   *
   * @param id the computer that is selected: its last picture stays below them
   */
  detach(words: CoverWords, id: string | undefined): void {
    this.#feed.stop();
    this.#queue.clear();
    this.#id = undefined;
    this.#tag = undefined;
    if (this.#drawn !== id) {
      this.#canvas.getContext("2d")?.reset();
      this.#drawn = undefined;
    }
    this.#hide(words);
  }

  /** Something happens on the computer. */
  hurry(): void {
    this.#feed.hurry();
  }

  async #take(signal: AbortSignal): Promise<Blob | undefined> {
    const { clientWidth, clientHeight } = this.#canvas;
    const view = { width: clientWidth * devicePixelRatio, height: clientHeight * devicePixelRatio };
    const request = { ...this.#detail.request(view), tag: this.#tag };
    const picture = await this.#api.screenshot(this.#id ?? "", request, signal);
    if (picture === undefined || signal.aborted) return undefined;
    this.#tag = picture.tag;
    return picture.blob;
  }

  #draw(picture: ImageBitmap): void {
    const { width, height } = picture;
    if (!this.#detail.accept(picture)) {
      // Where its pixels are on the screen is not known.
      this.#tag = undefined;
      return;
    }
    const screen = this.#detail.size ?? picture;
    this.#stage.style.setProperty("--screen-ratio", `${screen.width} / ${screen.height}`);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#canvas.getContext("2d", { alpha: false })?.drawImage(picture, 0, 0);
    this.#drawn = this.#id;
  }

  #arrived({ rate, latency }: FeedFigures): void {
    setText(this.#rate, `${rate} fps`);
    setText(this.#latency, `${Math.round(latency)} ms`);
    if (this.#visible || this.#drawn !== this.#id) return;
    this.#visible = true;
    this.#show();
    this.#cover.hide();
    this.#update();
  }

  #failed(error: unknown, { count, delay }: FeedFailure): void {
    // One picture that did not come is no reason to take somebody's keyboard away.
    if (this.#visible && count === 1) return setText(this.#latency, `in ${Math.round(delay / 1000)} s`);
    const { message, advice } = explain(error);
    this.#hide({
      text: "The screen cannot be shown.",
      detail: `${message}${advice === undefined ? "" : ` ${advice}`}`,
      action: { label: "Retry now", run: () => this.#feed.retry() },
    });
  }

  #hide(words: CoverWords): void {
    this.#visible = false;
    this.#cover.show(words);
    setText(this.#rate, "");
    setText(this.#latency, "");
    this.#update();
  }

  /** There is a screen to work on, or no longer. */
  #update(): void {
    this.#full.disabled = !this.#visible;
    this.#keyboard.update();
    this.#keys.update();
  }
}
