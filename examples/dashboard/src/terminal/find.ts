import { SearchAddon } from "@xterm/addon-search";
import type { Terminal } from "@xterm/xterm";
import { byId, setText } from "../ui/dom.js";

/** The colours of what is found, which are seen in both schemes. */
const COLOURS = {
  matchBackground: "#7a6a1f",
  activeMatchBackground: "#c26a00",
  matchOverviewRuler: "#7a6a1f",
  activeMatchColorOverviewRuler: "#c26a00",
};

/** The bar that finds text in a terminal. */
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
      const words = resultCount === 0 ? "none" : `${resultIndex + 1} of ${resultCount}`;
      setText(this.#found, this.#text.value === "" ? "" : words);
    });
    this.#text.addEventListener("input", () => this.#look(true, true));
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#close();
      else if (event.key === "Enter" && event.target === this.#text) this.#look(event.shiftKey);
    });
    byId("terminal-find-open", HTMLButtonElement).addEventListener("click", () => {
      if (this.#form.hidden) this.open();
      else this.#close();
    });
    byId("terminal-find-up", HTMLButtonElement).addEventListener("click", () => this.#look(true));
    byId("terminal-find-down", HTMLButtonElement).addEventListener("click", () => this.#look(false));
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

  /** @param up towards older output, which is where a search begins */
  #look(up: boolean, incremental = false): void {
    const { value } = this.#text;
    if (value === "") {
      this.#addon.clearDecorations();
      return setText(this.#found, "");
    }
    const options = { incremental, decorations: COLOURS };
    if (up) this.#addon.findPrevious(value, options);
    else this.#addon.findNext(value, options);
  }
}
