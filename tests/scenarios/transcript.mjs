// Records the output of a terminal, and waits until the output contains a text.

/** A reader that stores the output of a terminal. */
export class Transcript {
  /** All output so far. */
  text = "";
  #terminal;
  #after = 0;

  constructor(terminal) {
    this.#terminal = terminal;
  }

  /**
   * Types a line, and reads until the new output matches `pattern`.
   *
   * @param {string} line
   * @param {RegExp} pattern
   * @returns {Promise<RegExpExecArray>}
   */
  async run(line, pattern) {
    this.#after = this.text.length;
    if (!this.#terminal.write(`${line}\r`)) throw new Error(`the terminal refused ${JSON.stringify(line)}`);
    return this.until(pattern);
  }

  /** Reads until the output since the last typed line matches `pattern`. */
  async until(pattern, limit = 15_000) {
    const found = () => pattern.exec(this.text.slice(this.#after));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      // Closing the terminal ends the loop that waits for output.
      void this.#terminal.close();
    }, limit);
    try {
      if (found()) return found();
      for await (const output of this.#terminal) {
        this.text += output;
        if (found()) return found();
      }
    } finally {
      clearTimeout(timer);
    }
    const why = late ? `not within ${limit} ms` : "the terminal ended";
    throw new Error(`${pattern}: ${why}; the output is ${JSON.stringify(this.text.slice(this.#after))}`);
  }
}
