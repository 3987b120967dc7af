import { SearchAddon } from "@xterm/addon-search";
import type { Terminal } from "@xterm/xterm";
import { byId, setText } from "../ui/dom.js";

/** The colors of search matches. They are readable in the light and the dark color scheme. */
const COLORS = {
  matchBackground: "#7a6a1f",
  activeMatchBackground: "#c26a00",
  matchOverviewRuler: "#7a6a1f",
  activeMatchColorOverviewRuler: "#c26a00",
};

/** The search bar of the terminal. */
export class Find {
  readonly #view: Terminal;
  readonly #addon = new SearchAddon();
  readonly #form = byId("terminal-find", HTMLFormElement);
  readonly #text = byId("terminal-find-text", HTMLInputElement);
  readonly #found = byId("terminal-found", HTMLOutputElement);

  constructor(view: Terminal) {
    this.#view = view;
    view.loadAddon(this.#addon);
    this.#addon.onDidChangeResults(({ resultIndex, resultCount }) => {
      const result = resultCount === 0 ? "No results" : `${resultIndex + 1} of ${resultCount}`;
      setText(this.#found, this.#text.value === "" ? "" : result);
    });
    this.#text.addEventListener("input", () => this.#search(true, true));
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#close();
      else if (event.key === "Enter" && event.target === this.#text) this.#search(event.shiftKey);
    });
    byId("terminal-find-open", HTMLButtonElement).addEventListener("click", () => {
      if (this.#form.hidden) this.open();
      else this.#close();
    });
    byId("terminal-find-up", HTMLButtonElement).addEventListener("click", () => this.#search(true));
    byId("terminal-find-down", HTMLButtonElement).addEventListener("click", () => this.#search(false));
    byId("terminal-find-close", HTMLButtonElement).addEventListener("click", () => this.#close());
  }

  open(): void {
    this.#form.hidden = false;
    this.#text.select();
    this.#text.focus();
  }

  #close(): void {
    this.#form.hidden = true;
    this.#addon.clearDecorations();
    this.#view.focus();
  }

  /** Searches for the entered text. `up` searches toward older output. */
  #search(up: boolean, incremental = false): void {
    const { value } = this.#text;
    if (value === "") {
      this.#addon.clearDecorations();
      setText(this.#found, "");
      return;
    }
    const options = { incremental, decorations: COLORS };
    if (up) this.#addon.findPrevious(value, options);
    else this.#addon.findNext(value, options);
  }
}
