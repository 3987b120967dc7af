/** A menu of buttons. Escape and a click elsewhere close it. */
export class Menu {
  readonly #menu: HTMLDetailsElement;

  constructor(menu: HTMLDetailsElement) {
    this.#menu = menu;
    menu.addEventListener("keydown", (event) => {
      // A held Enter would click a button faster than a slow connection can send the calls.
      if (event.repeat) event.preventDefault();
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary")?.focus();
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (menu.open && target instanceof Node && !menu.contains(target)) menu.open = false;
    });
  }

  setEnabled(enabled: boolean): void {
    this.#menu.inert = !enabled;
    if (!enabled) this.#menu.open = false;
  }
}
