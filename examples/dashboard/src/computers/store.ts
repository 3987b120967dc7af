import type { Api, Lifecycle, NewComputer } from "../api/client.js";
import type { Computer, Inventory } from "../api/types.js";
import { Value } from "../ui/value.js";
import { isChanging } from "./words.js";

/** How often the computers are listed, in milliseconds: while one of them changes, otherwise, while nobody looks. */
const PACE = { changing: 800, steady: 4_000, hidden: 30_000 };

/** What the page shows of the computers. */
export interface Computers {
  /** `undefined` until the first list came. */
  inventory?: Inventory;
  selected?: Computer;
  /** Why the last list did not come. */
  error?: unknown;
}

const GOING_TO: Record<Lifecycle, string> = { start: "starting", stop: "stopping", restart: "restarting" };

/** The computers: lists them again and again, and changes them. The one in the page's address is the selected one. */
export class ComputerStore {
  readonly state = new Value<Computers>({});
  readonly #api: Api;
  /** What computers are on their way to, from the request until a list that was asked for after its answer. */
  readonly #pending = new Map<string, string>();
  #timer: number | undefined;
  #listing: AbortController | undefined;

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

  /** Lists the computers now. Never rejects: a failure is part of the state. */
  async refresh(): Promise<void> {
    this.#listing?.abort();
    clearTimeout(this.#timer);
    const listing = (this.#listing = new AbortController());
    try {
      const inventory = await this.#api.inventory(listing.signal);
      this.#show({ inventory });
    } catch (error) {
      if (listing.signal.aborted) return;
      this.#show({ inventory: this.state.get().inventory, error });
    }
    this.#timer = window.setTimeout(() => this.refresh(), this.#pace());
  }

  async create(params: NewComputer): Promise<void> {
    const { id } = await this.#api.create(params);
    await this.refresh();
    this.select(id);
  }

  change(id: string, lifecycle: Lifecycle): Promise<void> {
    return this.#going(id, GOING_TO[lifecycle], () => this.#api.change(id, lifecycle));
  }

  remove(id: string): Promise<void> {
    return this.#going(id, "deleting", () => this.#api.remove(id));
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

  #show({ inventory, error }: Computers): void {
    if (inventory === undefined) return this.state.set({ error });
    const computers = inventory.computers.map((computer) => ({
      ...computer,
      status: this.#pending.get(computer.id) ?? computer.status,
    }));
    const wanted = location.hash.slice(1);
    const selected =
      computers.find(({ id }) => id === wanted) ?? computers.find(({ status }) => status === "running") ?? computers[0];
    this.state.set({ inventory: { ...inventory, computers }, selected, error });
  }

  #pace(): number {
    if (document.visibilityState === "hidden") return PACE.hidden;
    const { inventory } = this.state.get();
    const changing = inventory?.first?.pending || inventory?.computers.some(({ status }) => isChanging(status));
    return changing ? PACE.changing : PACE.steady;
  }
}
