import { byId, setState } from "../ui/dom.js";

/** How long a note stays, in milliseconds. */
const NOTE = 6_000;

/** The line over the screen: how to use it, or for a moment what could not be passed on as it was meant. */
export class Hint {
  readonly #line = byId("screen-hint", HTMLParagraphElement);
  readonly #said = new Set<string>();
  #standing = "";
  #timer: number | undefined;

  /** Shows a text whenever there is no note. */
  stand(text: string): void {
    this.#standing = text;
    if (this.#timer === undefined) setState(this.#line, text);
  }

  /** Shows a note for a moment. */
  note(text: string): void {
    clearTimeout(this.#timer);
    setState(this.#line, text, "busy");
    this.#timer = window.setTimeout(() => this.#end(), NOTE);
  }

  /** Shows a note once in the life of the page: for what happens all the time. */
  noteOnce(text: string): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.note(text);
  }

  #end(): void {
    this.#timer = undefined;
    setState(this.#line, this.#standing);
  }
}
