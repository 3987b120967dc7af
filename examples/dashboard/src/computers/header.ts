import type { Lifecycle } from "../api/client.js";
import { byId, keepFocus, setState, setText } from "../ui/dom.js";
import { displayName } from "../ui/names.js";
import type { Notices } from "../ui/notices.js";
import { canStart, isChanging, specs, statusText, UNREACHABLE } from "./status.js";
import type { ComputerStore, Computers } from "./store.js";

const TOPICS: Record<Lifecycle, string> = {
  start: "start the computer",
  stop: "stop the computer",
  restart: "restart the computer",
};

/** The header of the selected computer: name, specifications, status, and the buttons that start, stop, restart and delete it. */
export class ComputerHeader {
  readonly #name = byId("computer-name", HTMLHeadingElement);
  readonly #specs = byId("computer-specs", HTMLParagraphElement);
  readonly #status = byId("computer-status", HTMLParagraphElement);
  readonly #actions = byId("computer-actions", HTMLDivElement);
  readonly #start = byId("computer-start", HTMLButtonElement);
  readonly #stop = byId("computer-stop", HTMLButtonElement);
  readonly #restart = byId("computer-restart", HTMLButtonElement);
  readonly #delete = byId("computer-delete", HTMLButtonElement);
  readonly #store: ComputerStore;
  readonly #notices: Notices;

  constructor(store: ComputerStore, notices: Notices, onDelete: () => void) {
    this.#store = store;
    this.#notices = notices;
    this.#start.addEventListener("click", () => this.#change("start"));
    this.#stop.addEventListener("click", () => this.#change("stop"));
    this.#restart.addEventListener("click", () => this.#change("restart"));
    this.#delete.addEventListener("click", onDelete);
    store.state.watch((state) => this.#show(state));
  }

  async #change(lifecycle: Lifecycle): Promise<void> {
    const id = this.#store.state.get().selected?.id;
    if (id === undefined) return;
    try {
      await this.#store.change(id, lifecycle);
      this.#notices.clear(TOPICS[lifecycle]);
    } catch (error) {
      this.#notices.fail(TOPICS[lifecycle], error);
    }
  }

  #show({ selected, inventory, offline }: Computers): void {
    const status = selected?.status;
    const changing = isChanging(status);
    setText(
      this.#name,
      selected === undefined ? (inventory === undefined ? "\u00a0" : "No computer") : displayName(selected.name ?? selected.id),
    );
    setText(this.#specs, selected === undefined ? "\u00a0" : specs(selected));
    if (selected === undefined) {
      setState(this.#status, "");
    } else {
      const { label, tone } = offline ? UNREACHABLE : statusText(status);
      setState(this.#status, label, tone);
    }
    document.title = selected?.name === undefined ? "Orgo dashboard" : `${displayName(selected.name)} · Orgo`;
    const states: [HTMLButtonElement, boolean][] = [
      [this.#start, canStart(status)],
      [this.#stop, status === "running"],
      [this.#restart, status === "running" || status === "error"],
      [this.#delete, selected !== undefined && !(changing && status === "deleting")],
    ];
    const change = () => {
      for (const [button, enabled] of states) button.disabled = offline || !enabled;
    };
    keepFocus(this.#actions, change, () => this.#actions);
  }
}
