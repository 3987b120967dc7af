import { explain } from "../api/problem.js";
import { byId, element, icon } from "./dom.js";

/** What went wrong, in words, until it is dismissed or the same thing works. */
export class Notices {
  readonly #list = byId("notices", HTMLDivElement);
  readonly #shown = new Map<string, HTMLElement>();

  /** Shows a failure; `topic` is what was tried, in words, and there is one notice of each. */
  fail(topic: string, error: unknown): void {
    const { message, advice } = explain(error);
    const close = element(
      "button",
      { type: "button", class: "button small icon-only", "aria-label": "Dismiss" },
      icon("close"),
    );
    close.addEventListener("click", () => this.clear(topic));
    const words = element("div", {}, element("p", {}, element("strong", {}, `${topic} failed. `), message));
    if (advice !== undefined) words.append(element("p", {}, advice));
    const notice = element("div", { class: "notice" }, words, close);
    const old = this.#shown.get(topic);
    if (old === undefined) this.#list.append(notice);
    else old.replaceWith(notice);
    this.#shown.set(topic, notice);
  }

  /** Takes the notice of a topic away. */
  clear(topic: string): void {
    this.#shown.get(topic)?.remove();
    this.#shown.delete(topic);
  }
}
