import { etagOf } from "./http.mjs";

/** @typedef {import("orgo-sdk").Screenshot & { etag: string }} TaggedScreenshot `etag` identifies the content of the image */

/**
 * Takes at most one screenshot of each computer at a time: overlapping screenshot calls fail, and two windows of the
 * dashboard may show the same computer. Concurrent requests with the same options share one call.
 */
export class Screenshots {
  /** @type {Map<string, { options: string, screenshot: Promise<TaggedScreenshot> }>} the last pending request, by computer id */
  #pending = new Map();

  /**
   * @param {string} id the computer's id
   * @param {string} options the options of the screenshot, as a key for sharing
   * @param {() => Promise<import("orgo-sdk").Screenshot>} take
   * @returns {Promise<TaggedScreenshot>}
   */
  take(id, options, take) {
    const previous = this.#pending.get(id);
    if (previous?.options === options) return previous.screenshot;
    const entry = { options, screenshot: this.#takeAfter(previous?.screenshot, take) };
    this.#pending.set(id, entry);
    const remove = () => this.#pending.get(id) === entry && this.#pending.delete(id);
    entry.screenshot.then(remove, remove);
    return entry.screenshot;
  }

  async #takeAfter(previous, take) {
    await previous?.catch(() => {});
    const screenshot = await take();
    return { ...screenshot, etag: etagOf(screenshot.data) };
  }
}
