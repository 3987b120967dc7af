import type { Api } from "../api/client.js";
import { explain } from "../api/problem.js";
import { byId, setText } from "../ui/dom.js";
import type { Notices } from "../ui/notices.js";
import { Cover, type CoverWords } from "./cover.js";
import { setUpFullScreen } from "./full-screen.js";
import { type FeedFailure, type FeedFigures, ScreenFeed } from "./feed.js";
import { InputQueue } from "./input-queue.js";
import { KeyMenu } from "./key-menu.js";
import { Keyboard } from "./keyboard.js";
import { Pointer } from "./pointer.js";
import { Trace } from "./trace.js";

const INPUT = "Passing your input to the computer";

/** The live screen of a computer, with pointer and keyboard passed through. */
export class ScreenPanel {
  readonly #api: Api;
  readonly #notices: Notices;
  readonly #stage = byId("screen-stage", HTMLDivElement);
  readonly #canvas = byId("screen-canvas", HTMLCanvasElement);
  readonly #rate = byId("screen-rate", HTMLParagraphElement);
  readonly #cover = new Cover();
  readonly #feed: ScreenFeed;
  readonly #queue: InputQueue;
  readonly #keyboard: Keyboard;
  #id: string | undefined;
  /** The computer of the picture that is drawn. */
  #drawn: string | undefined;
  #visible = false;

  constructor(api: Api, notices: Notices) {
    this.#api = api;
    this.#notices = notices;
    this.#feed = new ScreenFeed({
      take: (signal) => api.screenshot(this.#id ?? "", signal),
      draw: (picture) => this.#draw(picture),
      arrived: (figures) => this.#arrived(figures),
      failed: (error, failure) => this.#failed(error, failure),
    });
    this.#queue = new InputQueue({
      send: (action, params) => this.#api.act(this.#id ?? "", action, params),
      sent: () => {
        this.#notices.clear(INPUT);
        this.#feed.hurry();
      },
      // What was under way when the computer stopped is of no interest.
      failed: (error) => this.#id !== undefined && this.#notices.fail(INPUT, error),
    });
    const enabled = () => this.#visible;
    this.#keyboard = new Keyboard(this.#queue, enabled);
    new Pointer(this.#canvas, this.#queue, new Trace(byId("screen-trace", SVGSVGElement)), enabled);
    new KeyMenu(this.#queue, enabled);
    setUpFullScreen(this.#stage, () => this.#keyboard.take());
  }

  /** Shows a running computer. */
  attach(id: string, words: CoverWords): void {
    this.detach(words);
    this.#id = id;
    if (this.#drawn !== id) this.#canvas.getContext("2d")?.reset();
    this.#feed.start();
  }

  /** Shows words where the screen was. */
  detach(words: CoverWords): void {
    this.#feed.stop();
    this.#queue.clear();
    this.#id = undefined;
    this.#hide(words);
  }

  /** Something happens on the computer. */
  hurry(): void {
    this.#feed.hurry();
  }

  /** The server answers again. */
  retry(): void {
    this.#feed.retry();
  }

  #draw(picture: ImageBitmap): void {
    const { width, height } = picture;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#stage.style.setProperty("--screen-ratio", `${width} / ${height}`);
    }
    this.#canvas.getContext("2d", { alpha: false })?.drawImage(picture, 0, 0);
    this.#drawn = this.#id;
  }

  #arrived({ rate, latency }: FeedFigures): void {
    this.#visible = true;
    this.#cover.hide();
    setText(this.#rate, `${rate} fps · ${Math.round(latency)} ms`);
  }

  #failed(error: unknown, { count, delay }: FeedFailure): void {
    const seconds = Math.round(delay / 1000);
    // One picture that did not come is no reason to take somebody's keyboard away.
    if (this.#visible && count === 1) return setText(this.#rate, `again in ${seconds} s`);
    const { message, advice } = explain(error);
    this.#hide({
      text: "The screen cannot be shown.",
      detail: `${message} Trying again in ${seconds} s.${advice === undefined ? "" : ` ${advice}`}`,
    });
  }

  #hide(words: CoverWords): void {
    this.#visible = false;
    this.#cover.show(words);
    setText(this.#rate, "");
    this.#keyboard.check();
  }
}
