/** How one text becomes another by an edit at its end. */
export interface Difference {
  /** How many characters at the end of the old text have to go. */
  missing: number;
  /** The text that follows then. */
  added: string;
}

/** Compares whole characters, so that no half of one is sent. */
export function difference(before: string, after: string): Difference {
  const [old, now] = [[...before], [...after]];
  let same = 0;
  while (same < old.length && old[same] === now[same]) same += 1;
  return { missing: old.length - same, added: now.slice(same).join("") };
}
