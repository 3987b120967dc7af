import { performance } from "node:perf_hooks";

/**
 * Records the SDK calls that one request of the page causes, and their durations. The response lists the calls in its
 * `Server-Timing` header, and the page shows the calls.
 */
export class Calls {
  /** @type {string[]} */
  #entries = [];

  /**
   * @template T
   * @param {string} operation the SDK's name for the call
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
