/**
 * The key of a combination as its keyboard layout has it: `c` for Ctrl+Shift+C, wherever the layout puts that letter. A
 * layout of another script still has its Latin letters for combinations, and one that writes accented letters with the
 * upper row still has its digits. `undefined` if the key writes nothing, such as Shift.
 */
export function baseKey({ key, code }: Pick<KeyboardEvent, "key" | "code">): string | undefined {
  if (/^[\x20-\x7e]$/.test(key)) return key.toLowerCase();
  const isCharacter = [...key].length === 1;
  if (!isCharacter && key !== "Dead") return undefined;
  const place = /^(?:Key([A-Z])|Digit(\d))$/.exec(code);
  return place?.[1]?.toLowerCase() ?? place?.[2] ?? (isCharacter ? key.toLowerCase() : undefined);
}
