import { byId, element } from "../ui/dom.js";
import type { InputQueue } from "./input-queue.js";

/** Keys that a browser or a system keeps for itself, or that a phone's keyboard lacks. */
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

/** A menu of keys to send. */
export class KeyMenu {
  constructor(queue: InputQueue, enabled: () => boolean) {
    const menu = byId("screen-menu", HTMLDetailsElement);
    const items = KEYS.map(([label, key]) => {
      const button = element("button", { type: "button", class: "button small" }, label);
      button.addEventListener("click", () => enabled() && queue.key(key));
      return button;
    });
    byId("screen-menu-items", HTMLDivElement).append(...items);
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary")?.focus();
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (menu.open && target instanceof Node && !menu.contains(target)) menu.open = false;
    });
  }
}
