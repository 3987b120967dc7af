import type { Api, Lifecycle, NewComputer } from "../api/client.js";
import { isBrokenConnection, isOutOfReach } from "../api/problem.js";
import type { Computer, Inventory } from "../api/types.js";
import { Value } from "../ui/value.js";
import { isChanging } from "./words.js";

/** How often the computers are listed, in milliseconds. */
const PACE = {
  /** While one of them changes. */
  changing: 800,
  /** While the service is out of reach. */
  away: 1_000,
  /** While the selected one does not run: nothing else tells that the service is gone. */
  idle: 1_500,
  steady: 4_000,
  /** While nobody looks. */
  hidden: 30_000,
};
/** How soon a list that did not come is asked for again before that is told, in milliseconds. */
const SECOND_LOOK = 300;

/** What the page shows of the computers. */
export interface Computers {
  /** `undefined` until the first list came. */
  inventory?: Inventory;
  selected?: Computer;
  /** Why the last list did not come. */
  error?: unknown;
  /** Whether the service is out of reach: what is shown is of an earlier time, and nothing can be done now. */
  away: boolean;
}

const GOING_TO: Record<Lifecycle, string> = { start: "starting", stop: "stopping", restart: "restarting" };

/** The computers: lists them again and again, and changes them. The one in the page's address is the selected one. */
export class ComputerStore {
  readonly state = new Value<Computers>({ away: false });
  readonly #api: Api;
  /** What computers are on their way to, from the request until a list that was asked for after its answer. */
  readonly #pending = new Map<string, string>();
  #timer: number | undefined;
  #listing: AbortController | undefined;
  /** Whether the last list did not come. */
  #missed = false;

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

  /** Something else failed: whether the service is still there is to be found out now. */
  doubt(): void {
    if (this.#listing === undefined && !this.state.get().away) void this.refresh();
  }

  /** Lists the computers now. Never rejects: a failure is part of the state. */
  async refresh(): Promise<void> {
    this.#listing?.abort();
    clearTimeout(this.#timer);
    const listing = (this.#listing = new AbortController());
    let pace: number | undefined;
    try {
      const inventory = await this.#api.inventory(listing.signal);
      this.#missed = false;
      this.#show({ inventory, away: false });
    } catch (error) {
      if (listing.signal.aborted) return;
      const away = isOutOfReach(error);
      // A connection may break at a bad moment: that is not told the first time.
      if (isBrokenConnection(error) && !this.#missed) pace = SECOND_LOOK;
      else this.#show({ inventory: this.state.get().inventory, error, away });
      this.#missed = away;
    }
    this.#listing = undefined;
    this.#timer = window.setTimeout(() => this.refresh(), pace ?? this.#pace());
  }

  /** Creates a computer and selects it. Resolves with its id. */
  async create(params: NewComputer): Promise<string> {
    const { id } = await this.#api.create(params);
    await this.refresh();
    this.select(id);
    return id;
  }

  change(id: string, lifecycle: Lifecycle): Promise<void> {
    return this.#going(id, GOING_TO[lifecycle], () => this.#api.change(id, lifecycle));
  }

  /** Deletes a computer and selects the one beside it. Resolves with the id of that, if there is one. */
  async remove(id: string): Promise<string | undefined> {
    const ids = this.state.get().inventory?.computers.map((computer) => computer.id) ?? [];
    const at = ids.indexOf(id);
    const beside = ids[at + 1] ?? ids[at - 1];
    await this.#going(id, "deleting", () => this.#api.remove(id));
    if (beside !== undefined) this.select(beside);
    return beside;
  }

  async #going(id: string, status: string, work: () => Promise<void>): Promise<void> {
    this.#pending.set(id, status);
    this.#show(this.state.get());
    try {
      await work();
    } finally {
      this.#pending.delete(id);
      await this.refresh();
    }
  }

  #show({ inventory, error, away }: Computers): void {
    if (inventory === undefined) return this.state.set({ error, away });
    const computers = inventory.computers.map((computer) => ({
      ...computer,
      status: this.#pending.get(computer.id) ?? computer.status,
    }));
    const wanted = location.hash.slice(1);
    const selected =
      computers.find(({ id }) => id === wanted) ?? computers.find(({ status }) => status === "running") ?? computers[0];
    this.state.set({ inventory: { ...inventory, computers }, selected, error, away });
  }

  #pace(): number {
    if (document.visibilityState === "hidden") return PACE.hidden;
    const { inventory, selected, away } = this.state.get();
    if (away) return PACE.away;
    const changing = inventory?.first?.pending || inventory?.computers.some(({ status }) => isChanging(status));
    if (changing) return PACE.changing;
    return selected?.status === "running" ? PACE.steady : PACE.idle;
  }
}
