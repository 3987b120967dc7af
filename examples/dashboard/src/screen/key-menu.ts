import { byId, element } from "../ui/dom.js";
import { Menu } from "../ui/menu.js";

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

/**
 * Fills the menu of keys to send.
 *
 * @param press called with the key that the user selected
 */
export function createKeyMenu(press: (key: string) => void): Menu {
  const items = KEYS.map(([label, key]) => {
    const button = element("button", { type: "button", class: "button small" }, label);
    button.addEventListener("click", () => press(key));
    return button;
  });
  byId("screen-menu-items", HTMLDivElement).append(...items);
  return new Menu(byId("screen-menu", HTMLDetailsElement));
}
