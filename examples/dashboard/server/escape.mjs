import { inspect } from "node:util";

/**
 * Escapes control characters, because text from the service must not move the terminal's cursor or change the terminal's title.
 *
 * @param {string} text
 * @returns {string} one line
 */
export function escapeControls(text) {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/**
 * Formats an error with its stack for the terminal.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function formatError(error) {
  return inspect(error).split("\n").map(escapeControls).join("\n");
}
