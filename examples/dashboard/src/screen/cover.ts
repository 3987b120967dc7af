import { byId, keepFocus, setText } from "../ui/dom.js";
import type { Action } from "../ui/notices.js";

/** What is said where no picture can be shown. */
export interface CoverWords {
  text: string;
  detail?: string;
  action?: Action;
}

/** Words over the screen, with what can be done. */
export class Cover {
  readonly #cover = byId("screen-cover", HTMLDivElement);
  readonly #text = byId("screen-cover-text", HTMLParagraphElement);
  readonly #detail = byId("screen-cover-detail", HTMLParagraphElement);
  readonly #button = byId("screen-cover-action", HTMLButtonElement);
  readonly #stage = byId("screen-stage", HTMLDivElement);
  #run: () => void = () => {};

  constructor() {
    this.#button.addEventListener("click", () => this.#run());
  }

  show({ text, detail = "", action }: CoverWords): void {
    setText(this.#text, text);
    setText(this.#detail, detail);
    setText(this.#button, action?.label ?? "");
    this.#run = action?.run ?? (() => {});
    this.#change(() => {
      this.#button.hidden = action === undefined;
      this.#cover.hidden = false;
    });
  }

  hide(): void {
    this.#change(() => {
      this.#cover.hidden = true;
    });
  }

  #change(change: () => void): void {
    keepFocus(this.#cover, change, () => this.#stage);
  }
}
