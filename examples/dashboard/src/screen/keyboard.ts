import { APPLE } from "../ui/apple.js";
import { byId } from "../ui/dom.js";
import { difference } from "./difference.js";
import type { Hint } from "./hint.js";
import type { InputQueue } from "./input-queue.js";
import { isPaste, keyName } from "./keys.js";

/** How soon a second Escape has to follow to leave, in milliseconds. */
const ESCAPE_TWICE = 500;

const HINTS = {
  free: "Click it, or press Enter, to type there.",
  touch: "Tap, drag, rest: right button, two fingers: scroll.",
  taken: "Your keyboard is there. Esc twice to leave.",
};

/** The `keyCode` of a key that an input method takes. */
const INPUT_METHOD = 229;

/** The keys for edits that a field's text does not show: there is nothing in it to delete, or its lines are not the computer's. */
const EDITS: Record<string, string> = {
  insertLineBreak: "Enter",
  insertParagraph: "Enter",
  deleteContentBackward: "Backspace",
  deleteContentForward: "Delete",
  deleteWordBackward: "ctrl+Backspace",
  deleteWordForward: "ctrl+Delete",
};

/** The length from which on a paste takes so long that it is said how to stop it, in UTF-16 units. */
const LONG_PASTE = 1_000;

/** How much of what was typed the field keeps, in UTF-16 units. */
const LONGEST_COPY = 500;

/**
 * Passes the keyboard to the computer while its field has the focus. It is a text field that is not seen, so that
 * input methods, dead keys and the keyboards of phones work.
 *
 * The field holds a copy of what was typed since the last other key. Browsers disagree on the events of a composition,
 * of a corrected word and of an accent that is chosen for a letter, and on their order. So the events are not read: after
 * each of them the field is compared with what the computer has, and the difference is sent, as Backspaces and text.
 *
 * The screen lies in the page's order of focus as one stop and takes the keyboard only when it is asked to, so that
 * nobody is caught in it.
 */
export class Keyboard {
  readonly #stage = byId("screen-stage", HTMLDivElement);
  readonly #field = byId("screen-keys", HTMLTextAreaElement);
  readonly #button = byId("screen-keyboard", HTMLButtonElement);
  readonly #hint: Hint;
  readonly #queue: InputQueue;
  readonly #enabled: () => boolean;
  #escapedAt = -Infinity;
  #composing = false;
  /** Whether the last key that went down is one that is held. */
  #repeat = false;
  /** Whether the Print key has told that it went down. */
  #printing = false;
  /** What of the field's text the computer has. */
  #copied = "";

  constructor(queue: InputQueue, hint: Hint, enabled: () => boolean) {
    this.#queue = queue;
    this.#hint = hint;
    this.#enabled = enabled;
    this.#stage.addEventListener("keydown", (event) => {
      if (event.target !== this.#stage || event.key !== "Enter") return;
      event.preventDefault();
      this.take();
    });
    this.#stage.addEventListener("pointerdown", (event) => {
      if (event.target === this.#field || !this.#enabled()) return;
      // The text that follows goes to another place.
      this.#forget();
      // A finger's tap would open a phone's keyboard over the page; there the button is for that. An open one stays.
      if (event.pointerType !== "mouse" && !this.#taken) return;
      event.preventDefault();
      this.take();
    });
    // Pressing the button must not take the focus from the field first.
    this.#button.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#button.addEventListener("click", () => (this.#taken ? this.release() : this.take()));
    const field = this.#field;
    field.addEventListener("focus", () => this.update());
    field.addEventListener("blur", () => this.#leave());
    field.addEventListener("keydown", (event) => this.#keyDown(event));
    field.addEventListener("keyup", (event) => this.#keyUp(event));
    field.addEventListener("beforeinput", (event) => this.#beforeInput(event));
    field.addEventListener("input", () => this.#compare());
    field.addEventListener("compositionstart", () => {
      this.#composing = true;
    });
    field.addEventListener("compositionend", () => {
      this.#composing = false;
      this.#compare();
    });
    field.addEventListener("paste", (event) => this.#paste(event));
    // The key for it is the computer's.
    field.addEventListener("contextmenu", (event) => event.preventDefault());
    this.update();
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

  /** Shows whether the computer has the keyboard, and takes it back if there is no screen any more. */
  update(): void {
    const enabled = this.#enabled();
    if (this.#taken && !enabled) this.release();
    const taken = this.#taken;
    this.#button.disabled = !enabled;
    this.#button.setAttribute("aria-pressed", String(taken));
    const free = matchMedia("(hover: none)").matches ? HINTS.touch : HINTS.free;
    this.#hint.stand(enabled ? (taken ? HINTS.taken : free) : "");
  }

  get #taken(): boolean {
    return document.activeElement === this.#field;
  }

  #keyDown(event: KeyboardEvent): void {
    event.stopPropagation();
    this.#repeat = event.repeat;
    if (event.key === "PrintScreen") this.#printing = true;
    // In Safari the Enter that ends a composition comes after its end, and only its code says what it was for.
    if (event.isComposing || event.keyCode === INPUT_METHOD || isPaste(event, APPLE)) return;
    const key = keyName(event, APPLE);
    if (key === undefined) return;
    event.preventDefault();
    this.#send(key, event.repeat);
    if (key !== "Escape") this.#escapedAt = -Infinity;
    else if (event.timeStamp - this.#escapedAt < ESCAPE_TWICE && !event.repeat) this.#escape();
    else this.#escapedAt = event.timeStamp;
  }

  #keyUp(event: KeyboardEvent): void {
    event.stopPropagation();
    this.#repeat = false;
    // An Apple keyboard does not tell which key came up while Command is held, so any key ends the repeats.
    this.#queue.release();
    if (event.key !== "PrintScreen") return;
    // Windows tells of this key only when it comes up.
    if (!this.#printing) this.#send(keyName(event, APPLE) ?? "Print");
    this.#printing = false;
  }

  #beforeInput(event: InputEvent): void {
    if (this.#composing) return;
    const key = EDITS[event.inputType];
    if (key === undefined || (event.inputType.startsWith("deleteContent") && this.#field.value !== "")) return;
    event.preventDefault();
    this.#send(key, this.#repeat);
  }

  /** Sends how the field's text differs from what the computer has. */
  #compare(): void {
    if (this.#composing) return;
    const { value } = this.#field;
    const { missing, added } = difference(this.#copied, value);
    this.#copied = value;
    for (let count = 0; count < missing; count += 1) this.#queue.key("Backspace");
    if (added !== "") this.#queue.type(added, this.#repeat);
    // Not every repeat is sent, so the computer may have less.
    if (this.#repeat || value.length > LONGEST_COPY) this.#forget();
  }

  #paste(event: ClipboardEvent): void {
    event.preventDefault();
    this.#forget();
    const text = event.clipboardData?.getData("text/plain").replaceAll("\r\n", "\n") ?? "";
    this.#queue.paste(text);
    if (text.length > LONG_PASTE) this.#hint.note("Typing your paste. Esc twice stops it.");
  }

  /** Leaves, and stops a paste. */
  #escape(): void {
    const dropped = this.#queue.cancelPaste();
    this.release();
    if (dropped > 0) this.#hint.note(`Stopped the paste: its last ${dropped} characters were not typed.`);
  }

  #send(key: string, repeat = false): void {
    this.#forget();
    this.#queue.key(key, repeat);
  }

  #leave(): void {
    this.#repeat = this.#composing = this.#printing = false;
    this.#queue.release();
    // A composition ends with the focus, and not every browser says so before.
    this.#compare();
    this.#forget();
    this.update();
  }

  /**
   * What was typed is no longer what is before the computer's cursor. A composition belongs there, so it ends first, and
   * its text is sent: browsers end it when the field loses the focus.
   */
  #forget(): void {
    if (this.#composing) {
      this.#field.blur();
      this.take();
    }
    this.#copied = "";
    if (this.#field.value !== "") this.#field.value = "";
  }
}
