import { baseKey } from "../ui/base-key.js";

type Press = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "shiftKey" | "altKey" | "metaKey">;

/**
 * Whether it is what copies in terminals: Ctrl+Shift+C, Ctrl+Insert, and Ctrl+C while something is selected. On Apple
 * computers the browser copies with Command, and Control is always the shell's.
 */
export function isCopyInTerminal(press: Press, selected: boolean, apple: boolean): boolean {
  if (apple || !press.ctrlKey || press.altKey || press.metaKey) return false;
  if (press.key === "Insert") return !press.shiftKey && selected;
  return baseKey(press) === "c" && (press.shiftKey || selected);
}

/** Whether the browser pastes then, into the terminal's field. */
export function isPasteInTerminal(press: Press, apple: boolean): boolean {
  if (apple || press.altKey || press.metaKey || !press.shiftKey) return false;
  return press.ctrlKey ? baseKey(press) === "v" : press.key === "Insert";
}

/** Whether it finds text: Ctrl+Shift+F, also with Command. */
export function isFindInTerminal(press: Press): boolean {
  return (press.ctrlKey || press.metaKey) && press.shiftKey && baseKey(press) === "f";
}
