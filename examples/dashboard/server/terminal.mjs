import { inspect } from "node:util";

/**
 * Escapes control characters: text of the service must not move the cursor of the terminal or change its title.
 *
 * @param {string} text
 * @returns {string} one line
 */
export function printable(text) {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/**
 * An error with its stack, for the terminal.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function printableError(error) {
  return inspect(error).split("\n").map(printable).join("\n");
}
