import type { Computer, Inventory } from "../api/types.js";
import { byId, element } from "../ui/dom.js";
import { readable } from "../ui/names.js";
import type { ComputerStore, Computers } from "./store.js";
import { facts, OUT_OF_REACH, statusWords } from "./words.js";

/** The list of computers, each with its state, and the button for another one. */
export class ComputerList {
  readonly #list = byId("computers-list", HTMLUListElement);
  readonly #create = byId("create-open", HTMLButtonElement);
  readonly #store: ComputerStore;
  #shown = "";
  /** The computer that was brought to sight. */
  #revealed: string | undefined;

  constructor(store: ComputerStore) {
    this.#store = store;
    store.state.watch((state) => this.#show(state));
  }

  /** Moves the focus to a computer, or to the button for a new one if it is not there. */
  focus(id?: string): void {
    (this.#find(id) ?? this.#create).focus();
  }

  #show({ inventory, selected, error, away }: Computers): void {
    // A list that is rebuilt at every poll would lose the focus.
    const key = JSON.stringify([inventory?.computers, inventory?.first, selected?.id, error === undefined, away]);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#create.disabled = away;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.id : undefined;
    const computers = inventory?.computers ?? [];
    this.#list.replaceChildren(
      ...(computers.length > 0
        ? computers.map((computer) => this.#make(computer, computer.id === selected?.id, away))
        : [element("li", { class: "computers-empty" }, emptyWords(inventory, error))]),
    );
    if (focused !== undefined) this.focus(focused);
    if (selected?.id !== this.#revealed) this.#reveal((this.#revealed = selected?.id));
  }

  /** Scrolls the list alone, not the page, so that a computer is in its middle. */
  #reveal(id?: string): void {
    const item = this.#find(id)?.getBoundingClientRect();
    if (item === undefined) return;
    const list = this.#list.getBoundingClientRect();
    this.#list.scrollBy({
      left: item.left - list.left - (list.width - item.width) / 2,
      top: item.top - list.top - (list.height - item.height) / 2,
    });
  }

  #find(id = ""): HTMLElement | null {
    return this.#list.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`);
  }

  #make(computer: Computer, current: boolean, away: boolean): HTMLLIElement {
    const { label, tone } = away ? OUT_OF_REACH : statusWords(computer.status);
    const button = element(
      "button",
      {
        type: "button",
        class: "computer",
        "data-id": computer.id,
        "aria-current": String(current),
        title: facts(computer),
      },
      element("span", { class: "dot", "data-tone": tone, "aria-hidden": "true" }),
      element("strong", {}, readable(computer.name ?? computer.id)),
      element("span", { class: "muted" }, label),
    );
    button.addEventListener("click", () => this.#store.select(computer.id));
    return element("li", {}, button);
  }
}

function emptyWords(inventory: Inventory | undefined, error: unknown): string {
  if (inventory !== undefined) return "None yet.";
  return error === undefined ? "Looking…" : "Not known.";
}
