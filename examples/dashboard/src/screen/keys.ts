import { baseKey } from "../ui/base-key.js";

/** What of a keyboard event says which key it is. */
export type KeyPress = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "altKey" | "shiftKey" | "metaKey" | "getModifierState">;

/** The protocol's names of keys that write no text, by the browser's. */
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
  // Chromium's name of Pause with Control.
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

/** X keysym names of signs in combinations, where the sign itself would be taken for a separator or is not a name. */
const SIGNS: Record<string, string> = {
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
 * The name of a key or a combination as the `key` call takes it; `undefined` if the key writes text, or is a modifier
 * alone.
 *
 * @param apple whether it is an Apple keyboard
 */
export function keyName(press: KeyPress, apple: boolean): string | undefined {
  const control = press.ctrlKey || (apple && press.metaKey);
  const superKey = press.metaKey && !apple;
  // On some systems AltGr comes as Control with Alt. It writes text.
  const writes = press.getModifierState("AltGraph") || (apple && press.altKey && !control);
  const alt = press.altKey && !writes;
  const named = NAMED[press.key] ?? (/^F([1-9]|1\d|2[0-4])$/.test(press.key) ? press.key : undefined);
  const modifiers = [control && "ctrl", alt && "alt", superKey && "super"].filter((name) => name !== false);

  if (named !== undefined) return [...modifiers, ...(press.shiftKey ? ["shift"] : []), named].join("+");
  if (writes || modifiers.length === 0) return undefined;
  const base = baseKey(press);
  if (base === undefined) return undefined;
  const shift = press.shiftKey && /[a-z]/.test(base) ? ["shift"] : [];
  return [...modifiers, ...shift, SIGNS[base] ?? base].join("+");
}

/** Whether it is what pastes in this system. */
export function isPaste(press: KeyPress, apple: boolean): boolean {
  const control = apple ? press.metaKey : press.ctrlKey;
  return (control && !press.altKey && baseKey(press) === "v") || (press.shiftKey && press.key === "Insert");
}
