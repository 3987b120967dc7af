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

/** A key that is held on the computer: its name or its keysym. */
type Key = { key: string } | { keysym: number };

export class Keyboard {
  readonly #field: HTMLTextAreaElement;
  readonly #send: Send;
  readonly #type: ((text: string) => void) | undefined;
  readonly #onLeave: () => void;
  /** The held keys, by the code of the physical key. */
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
    for (const name of ["paste", "drop", "beforeinput"] as const) {
      on(name, (event) => {
        if (name !== "beforeinput" || /FromPaste|FromDrop/.test((event as InputEvent).inputType)) event.preventDefault();
      });
    }
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
    if (isApple && event.metaKey && !/^Meta/.test(event.code)) {
      // The browser reports no `keyup` while Command is held.
      this.#press(key, "press");
      return;
    }
    this.#held.set(event.code, key);
    this.#press(key, "down");
  }

  #up(event: KeyboardEvent): void {
    const key = this.#held.get(event.code);
    if (key !== undefined) {
      event.preventDefault();
      this.#held.delete(event.code);
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
        if (!code.test(held) || held === event.code) continue;
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
    const text = this.#field.value;
    this.#field.value = "";
    if (text === "") return;
    if (this.#type !== undefined && [...text].some((character) => codeOf(character) > LATIN_1)) {
      this.#type(text);
      return;
    }
    for (const character of text) this.#press(characterKey(character), "press");
  }

  #press(key: Key, action: "down" | "up" | "press"): void {
    if ("key" in key) {
      this.#send("key", { ...key, action });
      return;
    }
    if (action !== "up") this.#send("keysym", { ...key, pressed: true });
    if (action !== "down") this.#send("keysym", { ...key, pressed: false });
  }
}

const codeOf = (character: string) => character.codePointAt(0) ?? 0;

/** Returns the key of a character. A keysym is exact: the name of a letter would follow the Shift key. */
function characterKey(character: string): Key {
  if (character === "\n" || character === "\r") return { key: "Enter" };
  if (character === "\t") return { key: "Tab" };
  const code = codeOf(character);
  return { keysym: code <= LATIN_1 ? code : UNICODE + code };
}
