import { byId, setState } from "../ui/dom.js";

/** The time for which a temporary hint is shown, in milliseconds. */
const DURATION = 6_000;

/** The hint above the screen. It explains how to use the screen or, temporarily, which input could not be sent as intended. */
export class Hint {
  readonly #line = byId("screen-hint", HTMLParagraphElement);
  readonly #shown = new Set<string>();
  #default = "";
  #timer: number | undefined;

  /** Sets the text to show while there is no temporary hint. */
  setDefault(text: string): void {
    this.#default = text;
    if (this.#timer === undefined) setState(this.#line, text);
  }

  /** Shows a temporary hint. */
  show(text: string): void {
    clearTimeout(this.#timer);
    setState(this.#line, text, "busy");
    this.#timer = window.setTimeout(() => this.#end(), DURATION);
  }

  /** Shows a temporary hint, but only at the first call with this text. For inputs that occur often. */
  showOnce(text: string): void {
    if (this.#shown.has(text)) return;
    this.#shown.add(text);
    this.show(text);
  }

  #end(): void {
    this.#timer = undefined;
    setState(this.#line, this.#default);
  }
}
