import { explain } from "../api/problem.js";
import { byId, element, icon, keepFocus } from "./dom.js";

/** What is said of a topic; without an element once it was dismissed. */
interface Notice {
  text: string;
  shown?: HTMLElement;
}

/** Something to press beside words. */
export interface Action {
  label: string;
  run: () => void;
}

/** What went wrong, in words, until it is dismissed or the same thing works. */
export class Notices {
  readonly #list = byId("notices", HTMLDivElement);
  readonly #notices = new Map<string, Notice>();

  /**
   * Shows a failure. What polling finds again and again is shown once, and not again after it was dismissed.
   *
   * @param topic what was tried, in words; there is one notice of each
   * @param action what can be done about it at once
   */
  fail(topic: string, error: unknown, action?: Action): void {
    const { message, advice } = explain(error);
    const text = [message, advice].join("\n");
    if (this.#notices.get(topic)?.text === text) return;
    this.clear(topic);
    const close = element("button", { type: "button", class: "button small icon-only", "aria-label": "Dismiss" }, icon("close"));
    const words = element("div", {}, element("p", {}, element("strong", {}, `${topic} failed. `), message));
    if (advice !== undefined) words.append(element("p", {}, advice));
    const shown = element("div", { class: "notice" }, words, close);
    if (action !== undefined) {
      const button = element("button", { type: "button", class: "button small" }, action.label);
      button.addEventListener("click", action.run);
      close.before(button);
    }
    const notice: Notice = { text, shown };
    close.addEventListener("click", () => {
      this.#remove(shown);
      notice.shown = undefined;
    });
    this.#notices.set(topic, notice);
    this.#list.append(shown);
  }

  /** It works: takes the notice of a topic away. Returns whether there was one. */
  clear(topic: string): boolean {
    const shown = this.#notices.get(topic)?.shown;
    if (shown !== undefined) this.#remove(shown);
    return this.#notices.delete(topic);
  }

  #remove(shown: HTMLElement): void {
    const next = () => this.#list.querySelector<HTMLElement>("button") ?? byId("screen-stage", HTMLDivElement);
    keepFocus(shown, () => shown.remove(), next);
  }
}
