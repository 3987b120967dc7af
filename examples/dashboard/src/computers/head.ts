import type { Lifecycle } from "../api/client.js";
import { byId, keepFocus, setState, setText } from "../ui/dom.js";
import { readable } from "../ui/names.js";
import type { Notices } from "../ui/notices.js";
import type { ComputerStore, Computers } from "./store.js";
import { canStart, facts, isChanging, OUT_OF_REACH, statusWords } from "./words.js";

const NAMES: Record<Lifecycle, string> = {
  start: "Starting the computer",
  stop: "Stopping the computer",
  restart: "Restarting the computer",
};

/** The selected computer's name, state and life cycle. */
export class MachineHead {
  readonly #name = byId("machine-name", HTMLHeadingElement);
  readonly #facts = byId("machine-facts", HTMLParagraphElement);
  readonly #status = byId("machine-status", HTMLParagraphElement);
  readonly #actions = byId("machine-actions", HTMLDivElement);
  readonly #start = byId("machine-start", HTMLButtonElement);
  readonly #stop = byId("machine-stop", HTMLButtonElement);
  readonly #restart = byId("machine-restart", HTMLButtonElement);
  readonly #delete = byId("machine-delete", HTMLButtonElement);
  readonly #store: ComputerStore;
  readonly #notices: Notices;

  constructor(store: ComputerStore, notices: Notices, askToDelete: () => void) {
    this.#store = store;
    this.#notices = notices;
    this.#start.addEventListener("click", () => this.#change("start"));
    this.#stop.addEventListener("click", () => this.#change("stop"));
    this.#restart.addEventListener("click", () => this.#change("restart"));
    this.#delete.addEventListener("click", askToDelete);
    store.state.watch((state) => this.#show(state));
  }

  async #change(lifecycle: Lifecycle): Promise<void> {
    const id = this.#store.state.get().selected?.id;
    if (id === undefined) return;
    try {
      await this.#store.change(id, lifecycle);
      this.#notices.clear(NAMES[lifecycle]);
    } catch (error) {
      this.#notices.fail(NAMES[lifecycle], error);
    }
  }

  #show({ selected, inventory, away }: Computers): void {
    const status = selected?.status;
    const changing = isChanging(status);
    setText(
      this.#name,
      selected === undefined ? (inventory === undefined ? "\u00a0" : "No computer") : readable(selected.name ?? selected.id),
    );
    setText(this.#facts, selected === undefined ? "\u00a0" : facts(selected));
    if (selected === undefined) {
      setState(this.#status, "");
    } else {
      const { label, tone } = away ? OUT_OF_REACH : statusWords(status);
      setState(this.#status, label, tone);
    }
    document.title = selected?.name === undefined ? "Orgo dashboard" : `${readable(selected.name)} · Orgo`;
    const able: [HTMLButtonElement, boolean][] = [
      [this.#start, canStart(status)],
      [this.#stop, status === "running"],
      [this.#restart, status === "running" || status === "error"],
      [this.#delete, selected !== undefined && !(changing && status === "deleting")],
    ];
    const change = () => {
      for (const [button, enabled] of able) button.disabled = away || !enabled;
    };
    keepFocus(this.#actions, change, () => this.#actions);
  }
}
