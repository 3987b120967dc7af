// What a terminal says, read until it has said something.

/** Reads a terminal's output. */
export class Transcript {
  /** All output so far. */
  text = "";
  #terminal;
  #after = 0;

  constructor(terminal) {
    this.#terminal = terminal;
  }

  /**
   * Types a line and reads on until `pattern` is in what comes after it.
   *
   * @param {string} line
   * @param {RegExp} pattern
   * @returns {Promise<RegExpExecArray>}
   */
  async say(line, pattern) {
    this.#after = this.text.length;
    if (!this.#terminal.write(`${line}\r`)) throw new Error(`the terminal refused ${JSON.stringify(line)}`);
    return this.until(pattern);
  }

  /** Reads on until `pattern` is in the output since the last line that was typed. */
  async until(pattern, limit = 15_000) {
    const found = () => pattern.exec(this.text.slice(this.#after));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      // Nothing else ends a loop that waits for output.
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
    throw new Error(`${pattern}: ${why}; it said ${JSON.stringify(this.text.slice(this.#after))}`);
  }
}
