import type { Computer, Inventory } from "../api/types.js";
import { byId, element } from "../ui/dom.js";
import type { Computers, ComputerStore } from "./store.js";
import { facts, statusWords } from "./words.js";

/** The list of computers, each with its state. */
export class ComputerList {
  readonly #list = byId("computers-list", HTMLUListElement);
  readonly #store: ComputerStore;
  #shown = "";

  constructor(store: ComputerStore) {
    this.#store = store;
    store.state.watch((state) => this.#show(state));
  }

  #show({ inventory, selected, error }: Computers): void {
    // A list that is rebuilt at every poll would lose the focus.
    const key = JSON.stringify([inventory?.computers, inventory?.first, selected?.id, error === undefined]);
    if (key === this.#shown) return;
    this.#shown = key;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.id : undefined;
    const computers = inventory?.computers ?? [];
    this.#list.replaceChildren(
      ...(computers.length > 0
        ? computers.map((computer) => this.#item(computer, computer.id === selected?.id))
        : [element("li", { class: "computers-empty" }, emptyWords(inventory, error))]),
    );
    if (focused !== undefined) this.#list.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  #item(computer: Computer, current: boolean): HTMLLIElement {
    const { label, tone } = statusWords(computer.status);
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
      element("strong", {}, computer.name ?? computer.id),
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
