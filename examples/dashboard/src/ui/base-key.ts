/**
 * Returns the unmodified key of a combination according to the keyboard layout: `c` for Ctrl+Shift+C, also on Dvorak. Falls
 * back to the physical key for layouts without Latin letters and for layouts with accented letters in the digit row. Returns
 * `undefined` for keys that produce no character, such as Shift.
 */
export function baseKey({ key, code }: Pick<KeyboardEvent, "key" | "code">): string | undefined {
  if (/^[\x20-\x7e]$/.test(key)) return key.toLowerCase();
  const isCharacter = [...key].length === 1;
  if (!isCharacter && key !== "Dead") return undefined;
  const physical = /^(?:Key([A-Z])|Digit(\d))$/.exec(code);
  return physical?.[1]?.toLowerCase() ?? physical?.[2] ?? (isCharacter ? key.toLowerCase() : undefined);
}
