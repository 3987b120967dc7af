import { Calls } from "./calls.mjs";
import { createComputer, listWorkspaces } from "./computers.mjs";
import { describeError } from "./errors.mjs";

/**
 * Creates the first computer if a local desktop has none, so the page has a screen to show. A local computer is
 * free of charge.
 */
export class FirstComputer {
  /** @type {{ pending: boolean, error?: object } | undefined} */
  #state;

  /** The state of the creation, for the page. `undefined` before the creation begins and after it succeeds. */
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
