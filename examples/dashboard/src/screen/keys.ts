import { baseKey } from "../ui/base-key.js";

/** The properties of a keyboard event that identify the key. */
export type KeyPress = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "altKey" | "shiftKey" | "metaKey" | "getModifierState">;

/** Maps the browser's names of keys that produce no text to the protocol's names. */
const NAMED: Record<string, string> = {
  Enter: "Enter",
  Tab: "Tab",
  Escape: "Escape",
  Backspace: "Backspace",
  Delete: "Delete",
  Insert: "Insert",
  ArrowUp: "Up",
  ArrowDown: "Down",
  ArrowLeft: "Left",
  ArrowRight: "Right",
  Home: "Home",
  End: "End",
  PageUp: "Page_Up",
  PageDown: "Page_Down",
  ContextMenu: "Menu",
  Pause: "Pause",
  // Chromium's name for Control+Pause.
  Cancel: "Pause",
  PrintScreen: "Print",
  ScrollLock: "Scroll_Lock",
  Help: "Help",
  Clear: "Clear",
  Select: "Select",
  Undo: "Undo",
  Redo: "Redo",
  Find: "Find",
};

/** The X keysym names of symbols. A key combination needs them: some symbols are separators, and others are not valid names. */
const SYMBOLS: Record<string, string> = {
  " ": "space",
  "+": "plus",
  "-": "minus",
  "=": "equal",
  ",": "comma",
  ".": "period",
  "/": "slash",
  ";": "semicolon",
  "'": "apostrophe",
  "[": "bracketleft",
  "]": "bracketright",
  "\\": "backslash",
  "`": "grave",
};

/**
 * Returns the name of a key or key combination for the `key` call. Returns `undefined` if the key produces text or is only a
 * modifier.
 *
 * @param apple whether the computer of the user is an Apple device
 */
export function keyName(press: KeyPress, apple: boolean): string | undefined {
  const control = press.ctrlKey || (apple && press.metaKey);
  const superKey = press.metaKey && !apple;
  // AltGr produces text. Some systems report it as Control+Alt.
  const producesText = press.getModifierState("AltGraph") || (apple && press.altKey && !control);
  const alt = press.altKey && !producesText;
  const named = NAMED[press.key] ?? (/^F([1-9]|1\d|2[0-4])$/.test(press.key) ? press.key : undefined);
  const modifiers = [control && "ctrl", alt && "alt", superKey && "super"].filter((name) => name !== false);

  if (named !== undefined) return [...modifiers, ...(press.shiftKey ? ["shift"] : []), named].join("+");
  if (producesText || modifiers.length === 0) return undefined;
  const base = baseKey(press);
  if (base === undefined) return undefined;
  const shift = press.shiftKey && /[a-z]/.test(base) ? ["shift"] : [];
  return [...modifiers, ...shift, SYMBOLS[base] ?? base].join("+");
}

/** Returns whether a key event is the paste shortcut of the user's system. */
export function isPaste(press: KeyPress, apple: boolean): boolean {
  const control = apple ? press.metaKey : press.ctrlKey;
  return (control && !press.altKey && baseKey(press) === "v") || (press.shiftKey && press.key === "Insert");
}
