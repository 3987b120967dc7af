import { APPLE } from "../ui/apple.js";
import { byId } from "../ui/dom.js";
import { difference } from "./difference.js";
import type { Hint } from "./hint.js";
import type { InputQueue } from "./input-queue.js";
import { isPaste, keyName } from "./keys.js";

/** The maximum time between two Escape presses that release the keyboard, in milliseconds. */
const DOUBLE_ESCAPE_TIME = 500;

/** The `keyCode` of a key event that an input method handles. */
const INPUT_METHOD = 229;

/**
 * The keys to send for edits that a comparison of the field's text does not detect correctly: a deletion in an empty field
 * changes nothing, and a line break must be sent as Enter.
 */
const EDITS: Record<string, string> = {
  insertLineBreak: "Enter",
  insertParagraph: "Enter",
  deleteContentBackward: "Backspace",
  deleteContentForward: "Delete",
  deleteWordBackward: "ctrl+Backspace",
  deleteWordForward: "ctrl+Delete",
};

/** The length of a paste above which the page shows how to cancel it, in UTF-16 code units. */
const LONG_PASTE = 1_000;

/** The length of the field's text above which the field is cleared, in UTF-16 code units. */
const MAX_FIELD_LENGTH = 500;

/**
 * Sends the keyboard input to the computer while the field has the focus. The field is an invisible text field, which makes
 * input methods, dead keys and on-screen keyboards work.
 *
 * The field contains the text that was typed since the last special key. Browsers differ in the events, and their order, for
 * compositions, autocorrection and accent menus. Therefore the class does not interpret these events. After each event it
 * compares the field with the text that it has already sent, and sends the difference as Backspace keys and text.
 *
 * The stage is a single tab stop. It captures the keyboard only on Enter or a click, so it does not trap the focus.
 */
export class Keyboard {
  readonly #stage = byId("screen-stage", HTMLDivElement);
  readonly #field = byId("screen-keys", HTMLTextAreaElement);
  readonly #hint: Hint;
  readonly #queue: InputQueue;
  readonly #enabled: () => boolean;
  readonly #onCapture: () => void;
  #escapedAt = -Infinity;
  #composing = false;
  /** Whether the last `keydown` was an auto-repeat. */
  #repeat = false;
  /** Whether the Print Screen key has sent a `keydown` since its last `keyup`. */
  #printDown = false;
  /** The text of the field that was already sent. */
  #sentText = "";

  /** @param onCapture called when {@link captured} changes */
  constructor(queue: InputQueue, hint: Hint, enabled: () => boolean, onCapture: () => void) {
    this.#queue = queue;
    this.#hint = hint;
    this.#enabled = enabled;
    this.#onCapture = onCapture;
    this.#stage.addEventListener("keydown", (event) => {
      if (event.target !== this.#stage || event.key !== "Enter") return;
      event.preventDefault();
      this.capture();
    });
    this.#stage.addEventListener("pointerdown", (event) => {
      if (event.target === this.#field || !this.#enabled()) return;
      // The click may move the text cursor on the computer.
      this.#clearField();
      // A tap must not open the on-screen keyboard of a phone; the button does. An open keyboard stays open.
      if (event.pointerType !== "mouse" && !this.captured) return;
      event.preventDefault();
      this.capture();
    });
    const field = this.#field;
    field.addEventListener("focus", () => this.#onCapture());
    field.addEventListener("blur", () => this.#onBlur());
    field.addEventListener("keydown", (event) => this.#keyDown(event));
    field.addEventListener("keyup", (event) => this.#keyUp(event));
    field.addEventListener("beforeinput", (event) => this.#beforeInput(event));
    field.addEventListener("input", () => this.#sendChanges());
    field.addEventListener("compositionstart", () => {
      this.#composing = true;
    });
    field.addEventListener("compositionend", () => {
      this.#composing = false;
      this.#sendChanges();
    });
    field.addEventListener("paste", (event) => this.#paste(event));
    // The context menu key goes to the computer.
    field.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** Starts sending the keyboard input to the computer. */
  capture(): void {
    if (this.#enabled()) this.#field.focus({ preventScroll: true });
  }

  /** Stops sending the keyboard input to the computer, and exits full screen. */
  release(): void {
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    this.#stage.focus({ preventScroll: true });
  }

  /** Releases the keyboard if the screen does not accept input. */
  update(): void {
    if (this.captured && !this.#enabled()) this.release();
  }

  /** Whether the keys go to the computer. */
  get captured(): boolean {
    return document.activeElement === this.#field;
  }

  #keyDown(event: KeyboardEvent): void {
    event.stopPropagation();
    this.#repeat = event.repeat;
    if (event.key === "PrintScreen") this.#printDown = true;
    // In Safari, the Enter that ends a composition follows `compositionend`. Only its `keyCode` identifies it.
    if (event.isComposing || event.keyCode === INPUT_METHOD || isPaste(event, APPLE)) return;
    const key = keyName(event, APPLE);
    if (key === undefined) return;
    event.preventDefault();
    this.#send(key, event.repeat);
    if (key !== "Escape") this.#escapedAt = -Infinity;
    else if (event.timeStamp - this.#escapedAt < DOUBLE_ESCAPE_TIME && !event.repeat) this.#escape();
    else this.#escapedAt = event.timeStamp;
  }

  #keyUp(event: KeyboardEvent): void {
    event.stopPropagation();
    this.#repeat = false;
    // macOS sends no `keyup` for keys released while Command is held, so any `keyup` ends the repeats.
    this.#queue.release();
    if (event.key !== "PrintScreen") return;
    // Windows sends only `keyup` for this key.
    if (!this.#printDown) this.#send(keyName(event, APPLE) ?? "Print");
    this.#printDown = false;
  }

  #beforeInput(event: InputEvent): void {
    if (this.#composing) return;
    const key = EDITS[event.inputType];
    if (key === undefined || (event.inputType.startsWith("deleteContent") && this.#field.value !== "")) return;
    event.preventDefault();
    this.#send(key, this.#repeat);
  }

  /** Sends the difference between the field and the text that was already sent. */
  #sendChanges(): void {
    if (this.#composing) return;
    const { value } = this.#field;
    const { removed, added } = difference(this.#sentText, value);
    this.#sentText = value;
    for (let count = 0; count < removed; count += 1) this.#queue.key("Backspace");
    if (added !== "") this.#queue.type(added, this.#repeat);
    // The queue may drop repeats, so the computer may have less text than the field.
    if (this.#repeat || value.length > MAX_FIELD_LENGTH) this.#clearField();
  }

  #paste(event: ClipboardEvent): void {
    event.preventDefault();
    this.#clearField();
    const text = event.clipboardData?.getData("text/plain").replaceAll("\r\n", "\n") ?? "";
    this.#queue.paste(text);
    if (text.length > LONG_PASTE) this.#hint.show("Typing the pasted text. Press Esc twice to cancel.");
  }

  /** Releases the keyboard and cancels a paste. */
  #escape(): void {
    const dropped = this.#queue.cancelPaste();
    this.release();
    if (dropped > 0) this.#hint.show(`Paste canceled. The last ${dropped} characters were not typed.`);
  }

  #send(key: string, repeat = false): void {
    this.#clearField();
    this.#queue.key(key, repeat);
  }

  #onBlur(): void {
    this.#repeat = this.#composing = this.#printDown = false;
    this.#queue.release();
    // Losing the focus ends a composition, but not all browsers send `compositionend` first.
    this.#sendChanges();
    this.#clearField();
    this.#onCapture();
  }

  /**
   * Clears the field. Called when the text in the field is no longer the text before the computer's cursor. Ends a pending
   * composition and sends its text first, because browsers end a composition when the field loses the focus.
   */
  #clearField(): void {
    if (this.#composing) {
      this.#field.blur();
      this.capture();
    }
    this.#sentText = "";
    if (this.#field.value !== "") this.#field.value = "";
  }
}
