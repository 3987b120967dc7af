import { baseKey } from "../ui/base-key.js";

type Press = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "shiftKey" | "altKey" | "metaKey">;

/**
 * Returns whether a key event is a copy shortcut of terminals: Ctrl+Shift+C, or Ctrl+Insert or Ctrl+C while text is selected.
 * On Apple computers, the browser handles Command+C, and combinations with Control go to the shell.
 */
export function isCopyInTerminal(press: Press, selected: boolean, apple: boolean): boolean {
  if (apple || !press.ctrlKey || press.altKey || press.metaKey) return false;
  if (press.key === "Insert") return !press.shiftKey && selected;
  return baseKey(press) === "c" && (press.shiftKey || selected);
}

/** Returns whether a key event is a paste shortcut of terminals. The browser then pastes into the field of the terminal. */
export function isPasteInTerminal(press: Press, apple: boolean): boolean {
  if (apple || press.altKey || press.metaKey || !press.shiftKey) return false;
  return press.ctrlKey ? baseKey(press) === "v" : press.key === "Insert";
}

/** Returns whether a key event is the search shortcut: Ctrl+Shift+F or Command+Shift+F. */
export function isFindInTerminal(press: Press): boolean {
  return (press.ctrlKey || press.metaKey) && press.shiftKey && baseKey(press) === "f";
}
