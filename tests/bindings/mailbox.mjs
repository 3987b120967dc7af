/** A queue whose reader waits for the next item. */
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

  /** The unread items. */
  get rest() {
    return [...this.#items];
  }
}
