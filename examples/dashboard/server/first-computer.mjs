import { Calls } from "./calls.mjs";
import { createComputer, listWorkspaces } from "./computers.mjs";
import { describeError } from "./errors.mjs";

/**
 * Makes a first computer where there is none: on one's own machine it costs nothing, and the page has something to
 * show at once.
 */
export class FirstComputer {
  /** @type {{ pending: boolean, error?: object } | undefined} */
  #state;

  /** What the page is told while it is on its way, or if it failed. */
  get state() {
    return this.#state;
  }

  /** @param {import("orgo-sdk").Orgo} orgo */
  async create(orgo) {
    const calls = new Calls();
    this.#state = { pending: true };
    try {
      const workspaces = await listWorkspaces(orgo, calls, {});
      if (workspaces.every(({ desktops }) => (desktops ?? []).length === 0)) {
        await createComputer(orgo, calls, { name: "first" }, {}, "local");
      }
      this.#state = undefined;
    } catch (error) {
      this.#state = { pending: false, error: describeError(error).body.error };
    }
  }
}
