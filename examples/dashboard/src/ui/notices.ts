import { explain } from "../api/problem.js";
import { byId, element, icon, keepFocus } from "./dom.js";

/** The notice of a topic. */
interface Notice {
  text: string;
  /** Absent after the user dismissed the notice. */
  element?: HTMLElement;
}

/** A button with its action. */
export interface Action {
  label: string;
  run: () => void;
}

/** Shows errors until the user dismisses them or the same operation succeeds. */
export class Notices {
  readonly #list = byId("notices", HTMLDivElement);
  readonly #notices = new Map<string, Notice>();

  /**
   * Shows an error. Repeats of the same error, for example from polling, are ignored, even after the user dismissed it.
   *
   * @param topic the operation that failed, in the form "start the computer"; each topic has at most one notice
   * @param action a button to show, for example to retry
   */
  fail(topic: string, error: unknown, action?: Action): void {
    const { message, advice } = explain(error);
    const text = [message, advice].join("\n");
    if (this.#notices.get(topic)?.text === text) return;
    this.clear(topic);
    const close = element("button", { type: "button", class: "button small icon-only", "aria-label": "Dismiss" }, icon("close"));
    const content = element("div", {}, element("p", {}, element("strong", {}, `Could not ${topic}. `), message));
    if (advice !== undefined) content.append(element("p", {}, advice));
    const box = element("div", { class: "notice" }, content, close);
    if (action !== undefined) {
      const button = element("button", { type: "button", class: "button small" }, action.label);
      button.addEventListener("click", action.run);
      close.before(button);
    }
    const notice: Notice = { text, element: box };
    close.addEventListener("click", () => {
      this.#remove(box);
      notice.element = undefined;
    });
    this.#notices.set(topic, notice);
    this.#list.append(box);
  }

  /** Removes the notice of a topic after the operation succeeded. Returns whether there was one. */
  clear(topic: string): boolean {
    const box = this.#notices.get(topic)?.element;
    if (box !== undefined) this.#remove(box);
    return this.#notices.delete(topic);
  }

  #remove(box: HTMLElement): void {
    const next = () => this.#list.querySelector<HTMLElement>("button") ?? byId("screen-stage", HTMLDivElement);
    keepFocus(box, () => box.remove(), next);
  }
}
