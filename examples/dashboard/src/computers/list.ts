import type { Computer, Inventory } from "../api/types.js";
import { byId, element } from "../ui/dom.js";
import { displayName } from "../ui/names.js";
import { specs, statusText, UNREACHABLE } from "./status.js";
import type { ComputerStore, Computers } from "./store.js";

/** The list of computers with their statuses, and the button for a new computer. */
export class ComputerList {
  readonly #list = byId("computers-list", HTMLUListElement);
  readonly #create = byId("create-open", HTMLButtonElement);
  readonly #store: ComputerStore;
  #shown = "";
  /** The id of the computer that was last scrolled into view. */
  #revealed: string | undefined;

  constructor(store: ComputerStore) {
    this.#store = store;
    store.state.watch((state) => this.#show(state));
  }

  /** Moves the focus to a computer. If it is not in the list, moves the focus to the button for a new computer. */
  focus(id?: string): void {
    (this.#find(id) ?? this.#create).focus();
  }

  #show({ inventory, selected, error, offline }: Computers): void {
    // Rebuilding the list at every poll would lose the focus.
    const key = JSON.stringify([inventory?.computers, inventory?.first, selected?.id, error === undefined, offline]);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#create.disabled = offline;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.id : undefined;
    const computers = inventory?.computers ?? [];
    this.#list.replaceChildren(
      ...(computers.length > 0
        ? computers.map((computer) => this.#createItem(computer, computer.id === selected?.id, offline))
        : [element("li", { class: "computers-empty" }, emptyText(inventory, error))]),
    );
    if (focused !== undefined) this.focus(focused);
    if (selected?.id !== this.#revealed) {
      this.#revealed = selected?.id;
      this.#reveal(this.#revealed);
    }
  }

  /** Scrolls a computer to the middle of the list, without scrolling the page. */
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

  #createItem(computer: Computer, current: boolean, offline: boolean): HTMLLIElement {
    const { label, tone } = offline ? UNREACHABLE : statusText(computer.status);
    const button = element(
      "button",
      {
        type: "button",
        class: "computer",
        "data-id": computer.id,
        "aria-current": String(current),
        title: specs(computer),
      },
      element("span", { class: "dot", "data-tone": tone, "aria-hidden": "true" }),
      element("strong", {}, displayName(computer.name ?? computer.id)),
      element("span", { class: "muted" }, label),
    );
    button.addEventListener("click", () => this.#store.select(computer.id));
    return element("li", {}, button);
  }
}

function emptyText(inventory: Inventory | undefined, error: unknown): string {
  if (inventory !== undefined) return "No computers yet.";
  return error === undefined ? "Loading…" : "Unavailable";
}
