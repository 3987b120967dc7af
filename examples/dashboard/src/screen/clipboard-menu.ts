import type { Screen } from "orgo-sdk";
import { explain } from "../api/problem.js";
import { byId } from "../ui/dom.js";
import { Menu } from "../ui/menu.js";
import type { Hint } from "./hint.js";

const DENIED = "the browser denied access to your clipboard.";

/** The menu that copies text between the clipboards of the user and of the computer. Nothing is copied unless the user asks. */
export class ClipboardMenu {
  readonly #hint: Hint;
  readonly #clipboard: () => Screen["clipboard"] | undefined;
  readonly #element = byId("screen-clipboard", HTMLDetailsElement);
  readonly #send = byId("screen-clipboard-send", HTMLButtonElement);
  readonly #menu = new Menu(this.#element);

  constructor(hint: Hint, clipboard: () => Screen["clipboard"] | undefined) {
    this.#hint = hint;
    this.#clipboard = clipboard;
    this.#send.addEventListener("click", () => this.#run(() => this.#write()));
    byId("screen-clipboard-get", HTMLButtonElement).addEventListener("click", () => this.#run(() => this.#read()));
  }

  /** @param input whether the user may change the clipboard of the computer */
  setEnabled(enabled: boolean, input: boolean): void {
    this.#menu.setEnabled(enabled);
    this.#send.disabled = !input;
  }

  async #run(copy: () => Promise<string>): Promise<void> {
    this.#element.open = false;
    this.#element.querySelector("summary")?.focus();
    this.#hint.show(await copy());
  }

  async #write(): Promise<string> {
    let text: string;
    try {
      text = await navigator.clipboard.readText();
    } catch {
      return `Not sent: ${DENIED}`;
    }
    try {
      const isSent = this.#clipboard()?.write(text) === true;
      return isSent ? "Sent your clipboard. Ctrl+V on the computer pastes it." : "Not sent: the screen is disconnected.";
    } catch (error) {
      return `Not sent: ${explain(error).message}`;
    }
  }

  async #read(): Promise<string> {
    let failure: string | undefined;
    const read = async () => {
      try {
        const text = await this.#clipboard()?.read();
        if (text) return new Blob([text], { type: "text/plain" });
        failure = "The clipboard of the computer has no text.";
      } catch (error) {
        failure = `Not copied: ${explain(error).message}`;
      }
      throw new Error(failure);
    };
    const text = read();
    // A browser that denies the write ignores the text.
    text.catch(() => {});
    try {
      // Browsers permit the write only right after the click, but accept a promise for the text.
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
      return "Copied the clipboard of the computer to yours.";
    } catch {
      return failure ?? `Not copied: ${DENIED}`;
    }
  }
}
