import { tagOf } from "./http.mjs";

/** @typedef {import("orgo-sdk").Screenshot & { tag: string }} Tagged `tag` names what is on the picture */

/**
 * Takes screenshots, one of a computer at a time: the service fails overlapping ones, and two windows of the dashboard
 * may show the same computer. Who asks for the same kind of picture while one is on its way gets that one.
 */
export class Screenshots {
  /** @type {Map<string, { kind: string, picture: Promise<Tagged> }>} the last one that was asked for, by computer */
  #pending = new Map();

  /**
   * @param {string} id the computer's id
   * @param {string} kind how the picture is to be
   * @param {() => Promise<import("orgo-sdk").Screenshot>} take
   * @returns {Promise<Tagged>}
   */
  take(id, kind, take) {
    const before = this.#pending.get(id);
    if (before?.kind === kind) return before.picture;
    const entry = { kind, picture: this.#follow(before?.picture, take) };
    this.#pending.set(id, entry);
    const end = () => this.#pending.get(id) === entry && this.#pending.delete(id);
    entry.picture.then(end, end);
    return entry.picture;
  }

  async #follow(before, take) {
    await before?.catch(() => {});
    const screenshot = await take();
    return { ...screenshot, tag: tagOf(screenshot.data) };
  }
}
