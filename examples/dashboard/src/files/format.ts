const UNITS = ["B", "kB", "MB", "GB"];
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

/** Formats a size with decimal units (1 kB is 1000 bytes). */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would round to 1000.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

export function formatDate(at: Date): string {
  return DAY.format(at);
}
