import { performance } from "node:perf_hooks";

/**
 * The calls of the SDK that one request of the page leads to, with their times. The answer carries them in its
 * `Server-Timing` header, which the page shows.
 */
export class Calls {
  /** @type {string[]} */
  #entries = [];

  /**
   * @template T
   * @param {string} operation the SDK's name of the call
   * @param {() => Promise<T>} call
   * @returns {Promise<T>}
   */
  async time(operation, call) {
    const started = performance.now();
    try {
      const result = await call();
      this.#add(operation, started, "ok");
      return result;
    } catch (error) {
      this.#add(operation, started, [error.status, error.name].filter(Boolean).join(" "));
      throw error;
    }
  }

  /** @returns {Record<string, string>} */
  headers() {
    return this.#entries.length === 0 ? {} : { "server-timing": this.#entries.join(", ") };
  }

  #add(operation, started, outcome) {
    this.#entries.push(`${operation};dur=${(performance.now() - started).toFixed(1)};desc="${outcome}"`);
  }
}
