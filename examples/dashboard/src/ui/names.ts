/** Bidirectional control characters. With them, a name that ends in `gpj.exe` could be displayed with the ending `exe.jpg`. */
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;

/** Returns a name for display, without bidirectional control characters. */
export function displayName(name: string): string {
  return name.replace(BIDI_CONTROLS, "");
}

/**
 * Normalizes a name for comparing it with a typed name: removes invisible characters and collapses white space, as the page
 * does when it shows the name.
 */
export function normalizeName(name: string): string {
  return name
    .normalize("NFC")
    .replace(/\p{Cf}/gu, "")
    .replace(/\s+/g, " ")
    .trim();
}
