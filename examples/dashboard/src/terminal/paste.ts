const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/**
 * Removes control characters except tabs and line breaks from pasted text. A malicious page can put invisible control
 * characters on the clipboard. They could act as keys in the shell, or end the bracketed paste early, which would run the
 * remaining text as commands.
 */
export function withoutControlCharacters(text: string): { text: string; removed: number } {
  const kept = text.replace(CONTROL, "");
  return { text: kept, removed: text.length - kept.length };
}
