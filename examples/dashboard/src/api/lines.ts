/** Reads lines of JSON out of a text that grows. */
export class Lines<Line> {
  #read = 0;

  /**
   * @param text all that has come so far
   * @returns what the lines say that were not complete before
   */
  take(text: string): Line[] {
    const end = text.lastIndexOf("\n") + 1;
    const complete = text.slice(this.#read, end);
    this.#read = Math.max(end, this.#read);
    return complete
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
  }
}
