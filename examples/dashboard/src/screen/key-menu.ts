import { byId, element } from "../ui/dom.js";
import type { InputQueue } from "./input-queue.js";

/** The keys that the browser or the operating system reserves, or that the on-screen keyboard of a phone does not have. */
const KEYS: [label: string, key: string][] = [
  ["Esc", "Escape"],
  ["Tab", "Tab"],
  ["Enter", "Enter"],
  ["Ctrl+C", "ctrl+c"],
  ["Ctrl+V", "ctrl+v"],
  ["Ctrl+Z", "ctrl+z"],
  ["Ctrl+T", "ctrl+t"],
  ["Ctrl+W", "ctrl+w"],
  ["Ctrl+L", "ctrl+l"],
  ["Alt+Tab", "alt+Tab"],
  ["Alt+F4", "alt+F4"],
  ["Delete", "Delete"],
];

/** The menu of keys to send. */
export class KeyMenu {
  readonly #menu = byId("screen-menu", HTMLDetailsElement);
  readonly #enabled: () => boolean;

  constructor(queue: InputQueue, enabled: () => boolean) {
    this.#enabled = enabled;
    const menu = this.#menu;
    const items = KEYS.map(([label, key]) => {
      const button = element("button", { type: "button", class: "button small" }, label);
      button.addEventListener("click", () => enabled() && queue.key(key));
      return button;
    });
    byId("screen-menu-items", HTMLDivElement).append(...items);
    menu.addEventListener("keydown", (event) => {
      // A held Enter would click the button faster than a slow connection can send the calls.
      if (event.repeat) event.preventDefault();
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary")?.focus();
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (menu.open && target instanceof Node && !menu.contains(target)) menu.open = false;
    });
    this.update();
  }

  /** Enables or disables the menu, depending on whether the screen accepts input. */
  update(): void {
    this.#menu.inert = !this.#enabled();
    if (this.#menu.inert) this.#menu.open = false;
  }
}
