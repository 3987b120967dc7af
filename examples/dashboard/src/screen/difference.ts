/** An edit at the end of a string. */
export interface Difference {
  /** The number of code points to delete at the end of the old text. */
  removed: number;
  /** The text to append after the deletion. */
  added: string;
}

/** Returns the edit that turns `before` into `after`. Compares code points, so that surrogate pairs are not split. */
export function difference(before: string, after: string): Difference {
  const [old, current] = [[...before], [...after]];
  let common = 0;
  while (common < old.length && old[common] === current[common]) common += 1;
  return { removed: old.length - common, added: current.slice(common).join("") };
}
