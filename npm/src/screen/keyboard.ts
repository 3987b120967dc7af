// Passes the keyboard and the text of input methods to the computer.

import type { Send } from "./wheel.js";

/** The last character of Latin-1, whose characters are their own keysyms. */
const LATIN_1 = 0xff;
/** The keysym of another character is its code point plus this number. */
const UNICODE = 0x0100_0000;

/** Keys that the browser uses to compose text, and locks, whose effect is part of the text. */
const LOCAL = new Set(["Dead", "Process", "Unidentified", "Compose", "AltGraph", "CapsLock", "NumLock"]);

/** The names of the keys on the right side and of the numeric keypad. */
const RIGHT: Record<string, string> = { Shift: "Shift_R", Control: "Control_R", Alt: "Alt_R", Meta: "Super_R" };

const MODIFIERS: [keyof KeyboardEvent & `${string}Key`, RegExp][] = [
  ["shiftKey", /^Shift/],
  ["ctrlKey", /^Control/],
  ["altKey", /^Alt/],
  ["metaKey", /^(Meta|OS)/],
];

const isApple = /^(Mac|iP)/.test(navigator.platform);
// The Option key of Apple selects characters, like AltGr.
if (isApple) LOCAL.add("Alt");

/** Control characters, which have no key, except tabs and line breaks. */
const WITHOUT_KEY = /[^\P{Cc}\t\n\r]/gu;

/** A key that is held on the computer: its name or its keysym. */
type Key = { key: string; keysym?: never } | { keysym: number; key?: never };

export class Keyboard {
  readonly #field: HTMLTextAreaElement;
  readonly #send: Send;
  readonly #type: ((text: string) => void) | undefined;
  readonly #onLeave: () => void;
  /** The held keys, by the code of the physical key, or by their name if a key has no code. */
  readonly #held = new Map<string, Key>();
  /** Whether Control, Alt and Shift, and no other key, were pressed together. */
  #leaving = false;
  enabled = false;

  /** @param type Types text that has no keys. Default: the computer gets keysyms. */
  constructor(field: HTMLTextAreaElement, send: Send, type: ((text: string) => void) | undefined, onLeave: () => void) {
    this.#field = field;
    this.#send = send;
    this.#type = type;
    this.#onLeave = onLeave;
  }

  listen(signal: AbortSignal): void {
    const field = this.#field;
    const on = <Name extends keyof HTMLElementEventMap>(name: Name, handle: (event: HTMLElementEventMap[Name]) => void) =>
      field.addEventListener(name, (event) => this.enabled && handle(event), { signal });
    on("keydown", (event) => this.#down(event));
    on("keyup", (event) => this.#up(event));
    on("blur", () => this.release());
    on("input", (event) => {
      if (!(event as InputEvent).isComposing) this.#takeText();
    });
    on("compositionend", () => this.#takeText());
    // The text of the user's clipboard is not transferred unasked.
    for (const name of ["paste", "drop"] as const) on(name, (event) => event.preventDefault());
    on("beforeinput", (event) => {
      const { inputType } = event as InputEvent;
      if (/FromPaste|FromDrop/.test(inputType)) event.preventDefault();
      // The keyboard of a touch screen reports a deletion without its key. In text that is composed, it is local.
      const deletion = /^delete.*(Back|For)ward$/.exec(inputType);
      if (deletion !== null && field.value === "") this.#press({ key: deletion[1] === "Back" ? "Backspace" : "Delete" }, "press");
    });
  }

  /** Releases the keys that this view holds. */
  release(): void {
    for (const key of this.#held.values()) this.#press(key, "up");
    this.#held.clear();
    this.#leaving = false;
  }

  #down(event: KeyboardEvent): void {
    if (event.isComposing || event.keyCode === 229) return;
    this.#followModifiers(event);
    this.#leaving = /^(Control|Alt|Shift)/.test(event.code) && event.ctrlKey && event.altKey && event.shiftKey;
    if (LOCAL.has(event.key)) {
      this.#releaseFakeControl(event);
      // The browser composes the text.
      if (/^Alt|Lock$/.test(event.key)) event.preventDefault();
      return;
    }
    const key = this.#keyOf(event);
    if (key === undefined) return;
    event.preventDefault();
    const id = identify(event);
    // The browser reports no `keyup` while Command is held. The release of a character without a code may have another character.
    if (id === "" || (isApple && event.metaKey && !/^Meta/.test(id))) {
      this.#press(key, "press");
      return;
    }
    const held = this.#held.get(id);
    // A key that repeats while Shift is pressed or released changes its character.
    if (held !== undefined && (held.key !== key.key || held.keysym !== key.keysym)) this.#press(held, "up");
    this.#held.set(id, key);
    this.#press(key, "down");
  }

  #up(event: KeyboardEvent): void {
    const id = identify(event);
    const key = this.#held.get(id);
    if (key !== undefined) {
      event.preventDefault();
      this.#held.delete(id);
      this.#press(key, "up");
    }
    if (this.#leaving) {
      this.release();
      this.#onLeave();
    }
  }

  /** Releases the modifiers that were released while the view did not have the focus. */
  #followModifiers(event: KeyboardEvent): void {
    for (const [flag, code] of MODIFIERS) {
      if (event[flag]) continue;
      for (const [held, key] of this.#held) {
        if (!code.test(held) || held === identify(event)) continue;
        this.#held.delete(held);
        this.#press(key, "up");
      }
    }
  }

  /** Windows reports AltGr as the left Control key and the right Alt key. */
  #releaseFakeControl({ key }: KeyboardEvent): void {
    const control = this.#held.get("ControlLeft");
    if (key !== "AltGraph" || control === undefined) return;
    this.#held.delete("ControlLeft");
    this.#press(control, "up");
  }

  /** Returns the key of an event. The character of the user's layout counts, not the position of the key. */
  #keyOf(event: KeyboardEvent): Key | undefined {
    const { key, code, location } = event;
    if ([...key].length > 1) {
      if (isApple && key === "Meta") return { key: "Control" };
      if (location === KeyboardEvent.DOM_KEY_LOCATION_RIGHT) return { key: RIGHT[key] ?? key };
      return { key: code === "NumpadEnter" ? "KP_Enter" : key };
    }
    const isShortcut = (event.ctrlKey || (event.altKey && !isApple) || event.metaKey) && !event.getModifierState("AltGraph");
    if (!isShortcut) return characterKey(key);
    // Caps Lock would turn Ctrl+C into Ctrl+Shift+C, and other alphabets have no key of the computer.
    const latin = key <= "\xff" ? key : (/^(?:Key|Digit)(\w)$/.exec(code)?.[1] ?? key);
    return characterKey(event.shiftKey ? latin.toUpperCase() : latin.toLowerCase());
  }

  /** Sends the text in the field, such as a composed character. */
  #takeText(): void {
    const text = this.#field.value.replace(WITHOUT_KEY, "");
    this.#field.value = "";
    if (text === "") return;
    if (this.#type !== undefined && [...text].some((character) => codeOf(character) > LATIN_1)) {
      this.#type(text);
      return;
    }
    for (const character of text) this.#press(characterKey(character), "press");
  }

  #press(key: Key, action: "down" | "up" | "press"): void {
    if (key.key !== undefined) {
      this.#send("key", { ...key, action });
      return;
    }
    if (action !== "up") this.#send("keysym", { ...key, pressed: true });
    if (action !== "down") this.#send("keysym", { ...key, pressed: false });
  }
}

/** Returns the code of the physical key. On-screen keyboards report none, so that only the name of a key identifies it. */
const identify = ({ code, key }: KeyboardEvent) => code || (key.length > 1 ? key : "");

const codeOf = (character: string) => character.codePointAt(0) ?? 0;

/** Returns the key of a character. A keysym is exact: the name of a letter would follow the Shift key. */
function characterKey(character: string): Key {
  if (character === "\n" || character === "\r") return { key: "Enter" };
  if (character === "\t") return { key: "Tab" };
  const code = codeOf(character);
  return { keysym: code <= LATIN_1 ? code : UNICODE + code };
}
