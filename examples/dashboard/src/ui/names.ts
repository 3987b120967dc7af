/** Characters that turn the direction of the text after them: a name that ends in `gpj.exe` could be shown as `exe.jpg`. */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g;

/** A name as it is shown. */
export function readable(name: string): string {
  return name.replace(DIRECTIONS, "");
}

/**
 * A name as it can be typed after it was read: without invisible characters, and with one space for any white space,
 * which is how a page shows it.
 */
export function typeable(name: string): string {
  return name
    .normalize("NFC")
    .replace(/\p{Cf}/gu, "")
    .replace(/\s+/g, " ")
    .trim();
}
