/** What arrives is taken in its order, or waited for. */
export class Mailbox {
  #items = [];
  #waiting = [];

  put(item) {
    const taker = this.#waiting.shift();
    if (taker) taker(item);
    else this.#items.push(item);
  }

  /** @returns {Promise<any>} */
  take() {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** What is there and was not taken. */
  get rest() {
    return [...this.#items];
  }
}
