import type { ActionResult } from "orgo-sdk";

/** The maximum number of characters to list. */
const MAX_LISTED = 5;

/**
 * Describes the characters that the computer did not type. Some servers do not report such characters: they reject the text or
 * type other characters.
 */
export function skippedMessage({ details }: ActionResult): string | undefined {
  const { count, characters } = ((details as { left_out?: unknown } | undefined)?.left_out ?? {}) as {
    count?: unknown;
    characters?: unknown;
  };
  if (typeof count !== "number" || count < 1) return undefined;
  const names = Array.isArray(characters) ? characters.filter((name) => typeof name === "string").slice(0, MAX_LISTED) : [];
  const list = names.length === 0 ? "" : ` (${names.join(", ")})`;
  return count === 1
    ? `Skipped 1 character that no key can type${list}.`
    : `Skipped ${count} characters that no key can type${list}.`;
}
