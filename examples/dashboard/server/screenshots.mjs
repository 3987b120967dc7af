/**
 * Takes screenshots, one of a computer at a time: the service fails overlapping ones, and two windows of the dashboard
 * may show the same computer. Who asks while one is on its way gets that one.
 */
export class Screenshots {
  /** @type {Map<string, Promise<import("orgo-sdk").Screenshot>>} */
  #pending = new Map();

  /**
   * @param {string} id the computer's id
   * @param {() => Promise<import("orgo-sdk").Screenshot>} take
   */
  take(id, take) {
    const pending = this.#pending.get(id);
    if (pending !== undefined) return pending;
    const started = take().finally(() => this.#pending.delete(id));
    this.#pending.set(id, started);
    return started;
  }
}
