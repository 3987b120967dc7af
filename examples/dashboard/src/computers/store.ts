import type { Api, Lifecycle, NewComputer } from "../api/client.js";
import { isConnectionError, isOutage } from "../api/problem.js";
import type { Computer, Inventory } from "../api/types.js";
import { Value } from "../ui/value.js";
import { isChanging } from "./status.js";

/** The intervals between list calls, in milliseconds. */
const POLL_INTERVAL = {
  /** While a computer is changing its status. */
  changing: 800,
  /** While the service is unreachable. */
  offline: 1_000,
  /** While the selected computer is not running. Then only this poll detects an outage. */
  idle: 1_500,
  steady: 4_000,
  /** While the page is hidden. */
  hidden: 30_000,
};
/** The delay of the first retry after a connection error, in milliseconds. The page shows the error only if the retry fails. */
const FIRST_RETRY_DELAY = 300;

/** The state of the computers that the page shows. */
export interface Computers {
  /** `undefined` until the first list has loaded. */
  inventory?: Inventory;
  selected?: Computer;
  /** The error of the last list call. */
  error?: unknown;
  /** Whether the service is unreachable. The page then shows old data and disables the actions. */
  offline: boolean;
}

const TRANSITIONS: Record<Lifecycle, string> = { start: "starting", stop: "stopping", restart: "restarting" };

/** Polls the list of computers, and creates, changes and deletes computers. The URL fragment is the selected computer's id. */
export class ComputerStore {
  readonly state = new Value<Computers>({ offline: false });
  readonly #api: Api;
  /** The transitional status of each changing computer, by id. Kept from the request until the first list after its response. */
  readonly #pending = new Map<string, string>();
  #timer: number | undefined;
  #listing: AbortController | undefined;
  /** Whether the last list call failed. */
  #lastFailed = false;

  constructor(api: Api) {
    this.#api = api;
    window.addEventListener("hashchange", () => this.#show(this.state.get()));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void this.refresh();
    });
    void this.refresh();
  }

  select(id: string): void {
    location.hash = id;
  }

  /** Checks immediately whether the service is reachable. Called after another operation has failed. */
  checkService(): void {
    if (this.#listing === undefined && !this.state.get().offline) void this.refresh();
  }

  /** Lists the computers now. Never rejects: an error becomes part of the state. */
  async refresh(): Promise<void> {
    this.#listing?.abort();
    clearTimeout(this.#timer);
    const listing = new AbortController();
    this.#listing = listing;
    let delay: number | undefined;
    try {
      const inventory = await this.#api.inventory(listing.signal);
      this.#lastFailed = false;
      this.#show({ inventory, offline: false });
    } catch (error) {
      if (listing.signal.aborted) return;
      const offline = isOutage(error);
      // A single connection error is not an outage, so the page does not show the first one.
      if (isConnectionError(error) && !this.#lastFailed) delay = FIRST_RETRY_DELAY;
      else this.#show({ inventory: this.state.get().inventory, error, offline });
      this.#lastFailed = offline;
    }
    this.#listing = undefined;
    this.#timer = window.setTimeout(() => this.refresh(), delay ?? this.#pollInterval());
  }

  /** Creates a computer and selects it. Resolves with its id. */
  async create(params: NewComputer): Promise<string> {
    const { id } = await this.#api.create(params);
    await this.refresh();
    this.select(id);
    return id;
  }

  change(id: string, lifecycle: Lifecycle): Promise<void> {
    return this.#changeTo(id, TRANSITIONS[lifecycle], () => this.#api.change(id, lifecycle));
  }

  /** Deletes a computer and selects an adjacent one. Resolves with the id of the selected computer, if there is one. */
  async remove(id: string): Promise<string | undefined> {
    const ids = this.state.get().inventory?.computers.map((computer) => computer.id) ?? [];
    const index = ids.indexOf(id);
    const neighbor = ids[index + 1] ?? ids[index - 1];
    await this.#changeTo(id, "deleting", () => this.#api.remove(id));
    if (neighbor !== undefined) this.select(neighbor);
    return neighbor;
  }

  async #changeTo(id: string, status: string, work: () => Promise<void>): Promise<void> {
    this.#pending.set(id, status);
    this.#show(this.state.get());
    try {
      await work();
    } finally {
      this.#pending.delete(id);
      await this.refresh();
    }
  }

  #show({ inventory, error, offline }: Computers): void {
    if (inventory === undefined) {
      this.state.set({ error, offline });
      return;
    }
    const computers = inventory.computers.map((computer) => ({
      ...computer,
      status: this.#pending.get(computer.id) ?? computer.status,
    }));
    const selectedId = location.hash.slice(1);
    const selected =
      computers.find(({ id }) => id === selectedId) ?? computers.find(({ status }) => status === "running") ?? computers[0];
    this.state.set({ inventory: { ...inventory, computers }, selected, error, offline });
  }

  #pollInterval(): number {
    if (document.visibilityState === "hidden") return POLL_INTERVAL.hidden;
    const { inventory, selected, offline } = this.state.get();
    if (offline) return POLL_INTERVAL.offline;
    const changing = inventory?.first?.pending || inventory?.computers.some(({ status }) => isChanging(status));
    if (changing) return POLL_INTERVAL.changing;
    return selected?.status === "running" ? POLL_INTERVAL.steady : POLL_INTERVAL.idle;
  }
}
