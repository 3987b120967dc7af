const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/**
 * A text as it may be pasted: without control characters, but with tabs and line ends. A page can put others on the
 * clipboard that nobody sees. They would press keys in the shell, or end the bracketed paste early, which runs the text
 * as commands.
 */
export function pasteable(text: string): { text: string; leftOut: number } {
  const kept = text.replace(CONTROL, "");
  return { text: kept, leftOut: text.length - kept.length };
}
