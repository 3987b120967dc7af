/** Parses NDJSON from a growing string. */
export class NdjsonReader<Line> {
  #parsed = 0;

  /**
   * @param text the whole text received so far
   * @returns the values of the lines that are complete now and were not complete before
   */
  read(text: string): Line[] {
    const end = text.lastIndexOf("\n") + 1;
    const complete = text.slice(this.#parsed, end);
    this.#parsed = Math.max(end, this.#parsed);
    return complete
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
  }
}
