const FORMAT = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** A time of the day, to the second. */
export function timeOf(at: Date): string {
  return FORMAT.format(at);
}
