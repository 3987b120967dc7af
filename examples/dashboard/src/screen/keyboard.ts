import { byId, setText } from "../ui/dom.js";
import type { InputQueue } from "./input-queue.js";
import { isPaste, keyName } from "./keys.js";

/** How soon a second Escape has to follow to leave, in milliseconds. */
const ESCAPE_TWICE = 500;

const HINTS = {
  free: "Click it, or press Enter, to type there.",
  touch: "Tap to click, rest for the right button, pull to drag.",
  taken: "Your keyboard is there. Esc twice to leave.",
};

/** What a text field means by changes that it does not carry out itself. */
const EDITS: Record<string, string> = {
  insertLineBreak: "Enter",
  insertParagraph: "Enter",
  deleteContentBackward: "Backspace",
  deleteContentForward: "Delete",
  deleteWordBackward: "ctrl+Backspace",
};

/**
 * Passes the keyboard to the computer while its field has the focus. It is a text field that is not seen, so that
 * input methods, dead keys and the keyboards of phones work.
 *
 * The screen lies in the page's order of focus as one stop and takes the keyboard only when it is asked to, so that
 * nobody is caught in it.
 */
export class Keyboard {
  readonly #stage = byId("screen-stage", HTMLDivElement);
  readonly #field = byId("screen-keys", HTMLTextAreaElement);
  readonly #button = byId("screen-keyboard", HTMLButtonElement);
  readonly #hint = byId("screen-hint", HTMLParagraphElement);
  readonly #queue: InputQueue;
  readonly #enabled: () => boolean;
  readonly #apple = /Mac|iP(hone|ad)/.test(navigator.platform);
  #escapedAt = -Infinity;

  constructor(queue: InputQueue, enabled: () => boolean) {
    this.#queue = queue;
    this.#enabled = enabled;
    this.#stage.addEventListener("keydown", (event) => {
      if (event.target !== this.#stage || event.key !== "Enter") return;
      event.preventDefault();
      this.take();
    });
    this.#stage.addEventListener("pointerdown", (event) => {
      // A finger's tap would open a phone's keyboard over the page; there the button is for that.
      if (event.pointerType !== "mouse" || event.target === this.#field || !this.#enabled()) return;
      event.preventDefault();
      this.take();
    });
    // Pressing the button must not take the focus from the field first.
    this.#button.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#button.addEventListener("click", () => (this.#taken ? this.release() : this.take()));
    this.#field.addEventListener("focus", () => this.#show());
    this.#field.addEventListener("blur", () => this.#show());
    this.#field.addEventListener("keydown", (event) => this.#keyDown(event));
    this.#field.addEventListener("beforeinput", (event) => this.#beforeInput(event));
    this.#field.addEventListener("compositionend", (event) => this.#composed(event));
    this.#field.addEventListener("paste", (event) => this.#paste(event));
    this.#show();
  }

  /** Gives the keyboard to the computer. */
  take(): void {
    if (this.#enabled()) this.#field.focus({ preventScroll: true });
  }

  /** Gives the keyboard back to the page. */
  release(): void {
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    this.#stage.focus({ preventScroll: true });
  }

  /** Gives it back if the screen is no longer there to take it. */
  check(): void {
    if (this.#taken && !this.#enabled()) this.release();
  }

  get #taken(): boolean {
    return document.activeElement === this.#field;
  }

  #keyDown(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.isComposing || isPaste(event, this.#apple)) return;
    const key = keyName(event, this.#apple);
    if (key === undefined) return;
    event.preventDefault();
    this.#queue.key(key);
    if (key !== "Escape") this.#escapedAt = -Infinity;
    else if (event.timeStamp - this.#escapedAt < ESCAPE_TWICE && !event.repeat) this.release();
    else this.#escapedAt = event.timeStamp;
  }

  #beforeInput(event: InputEvent): void {
    // A composition cannot be prevented; its text is taken when it has ended.
    if (event.inputType === "insertCompositionText") return;
    event.preventDefault();
    const key = EDITS[event.inputType];
    if (key !== undefined) this.#queue.key(key);
    else if (event.data) this.#queue.type(event.data);
  }

  #composed(event: CompositionEvent): void {
    if (event.data !== "") this.#queue.type(event.data);
    this.#field.value = "";
  }

  #paste(event: ClipboardEvent): void {
    event.preventDefault();
    const text = event.clipboardData?.getData("text/plain").replaceAll("\r\n", "\n") ?? "";
    if (text !== "") this.#queue.type(text);
  }

  #show(): void {
    const taken = this.#taken;
    this.#button.setAttribute("aria-pressed", String(taken));
    const free = matchMedia("(hover: none)").matches ? HINTS.touch : HINTS.free;
    setText(this.#hint, taken ? HINTS.taken : free);
  }
}
