import { byId, keepFocus, setText } from "../ui/dom.js";
import type { Action } from "../ui/notices.js";

/** A message in place of the screen. */
export interface OverlayMessage {
  text: string;
  detail?: string;
  action?: Action;
}

/** The overlay on the screen: a message and a button. */
export class Overlay {
  readonly #overlay = byId("screen-overlay", HTMLDivElement);
  readonly #text = byId("screen-overlay-text", HTMLParagraphElement);
  readonly #detail = byId("screen-overlay-detail", HTMLParagraphElement);
  readonly #button = byId("screen-overlay-action", HTMLButtonElement);
  readonly #stage = byId("screen-stage", HTMLDivElement);
  #run: () => void = () => {};

  constructor() {
    this.#button.addEventListener("click", () => this.#run());
  }

  show({ text, detail = "", action }: OverlayMessage): void {
    setText(this.#text, text);
    setText(this.#detail, detail);
    setText(this.#button, action?.label ?? "");
    this.#run = action?.run ?? (() => {});
    this.#change(() => {
      this.#button.hidden = action === undefined;
      this.#overlay.hidden = false;
    });
  }

  hide(): void {
    this.#change(() => {
      this.#overlay.hidden = true;
    });
  }

  #change(change: () => void): void {
    keepFocus(this.#overlay, change, () => this.#stage);
  }
}
