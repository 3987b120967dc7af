const FORMAT = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** Formats a time of day with seconds. */
export function formatTime(at: Date): string {
  return FORMAT.format(at);
}
