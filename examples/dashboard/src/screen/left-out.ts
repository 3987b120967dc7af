import type { ActionResult } from "orgo-sdk";

/** How many of the characters are named. */
const NAMED = 5;

/**
 * Which characters of a text a computer did not type, in words. Not every server says so: others refuse the text, or
 * type something else.
 */
export function leftOutWords({ details }: ActionResult): string | undefined {
  const { count, characters } = ((details as { left_out?: unknown } | undefined)?.left_out ?? {}) as {
    count?: unknown;
    characters?: unknown;
  };
  if (typeof count !== "number" || count < 1) return undefined;
  const names = Array.isArray(characters) ? characters.filter((name) => typeof name === "string").slice(0, NAMED) : [];
  const which = names.length === 0 ? "" : ` (${names.join(", ")})`;
  return count === 1
    ? `Left out: 1 character that no key types${which}.`
    : `Left out: ${count} characters that no key types${which}.`;
}
