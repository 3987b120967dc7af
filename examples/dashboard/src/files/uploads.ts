import type { UploadProgress } from "orgo-sdk";
import { LARGEST_FILE } from "../../shared/limits.mjs";
import type { UploadStep } from "../api/client.js";
import { paragraph, sentence } from "../api/problem.js";
import { byId, element, icon, setText } from "../ui/dom.js";
import { readable } from "../ui/names.js";
import { sizeWords } from "./words.js";

export interface UploadHooks {
  send(file: File, tell: (step: UploadStep, progress: UploadProgress) => void, signal: AbortSignal): Promise<void>;
  /** How it goes with a file has changed. */
  changed(name: string, step: "begun" | "done" | "failed" | "given up"): void;
}

interface Upload {
  file: File;
  row: HTMLLIElement;
  bar: HTMLProgressElement;
  words: HTMLParagraphElement;
  button: HTMLButtonElement;
  given: AbortController;
}

/** Files on their way to the computer, one after the other, each with its progress. What failed stays until it is tried again or dismissed. */
export class Uploads {
  readonly #list = byId("uploads-list", HTMLUListElement);
  readonly #hooks: UploadHooks;
  #waiting: Upload[] = [];
  #current: Upload | undefined;

  constructor(hooks: UploadHooks) {
    this.#hooks = hooks;
  }

  add(files: Iterable<File>): void {
    for (const file of files) {
      if (file.size > LARGEST_FILE) {
        this.refuse(file.name, `It has ${sizeWords(file.size)}; the service takes at most ${sizeWords(LARGEST_FILE)}.`);
      } else {
        this.#waiting.push(this.#show(file));
      }
    }
    void this.#next();
  }

  /** Says of something that was chosen why it is not uploaded. */
  refuse(name: string, reason: string): void {
    const upload = this.#show(new File([], name));
    this.#fail(upload, reason);
  }

  /** Gives everything up, and forgets what failed. */
  clear(): void {
    this.#waiting = [];
    this.#current?.given.abort();
    this.#current = undefined;
    this.#list.replaceChildren();
  }

  async #next(): Promise<void> {
    if (this.#current !== undefined) return;
    const upload = this.#waiting.shift();
    if (upload === undefined) return;
    this.#current = upload;
    const { file, given } = upload;
    this.#hooks.changed(file.name, "begun");
    upload.bar.hidden = false;
    setText(upload.words, "Uploading…");
    try {
      await this.#hooks.send(file, (step, progress) => this.#tell(upload, step, progress), given.signal);
      if (given.signal.aborted) return;
      this.#remove(upload);
      this.#hooks.changed(file.name, "done");
    } catch (error) {
      const readable = await isReadable(file);
      if (given.signal.aborted) return;
      if (readable) this.#fail(upload, paragraph(error), () => this.#retry(upload));
      else this.#fail(upload, "The file was changed, moved or deleted since it was chosen. Choose it again.");
    }
    this.#current = undefined;
    void this.#next();
  }

  #show(file: File): Upload {
    const name = readable(file.name);
    const bar = element("progress", { "aria-label": `Upload of ${name}`, hidden: "" });
    const words = element("p", { class: "muted figures" }, "Waiting");
    const label = `Cancel the upload of ${name}`;
    const button = element(
      "button",
      { type: "button", class: "button small icon-only", "aria-label": label, title: "Cancel" },
      icon("close"),
    );
    const row = element("li", {}, element("strong", { title: name }, name), words, bar, button);
    const upload = { file, row, bar, words, button, given: new AbortController() };
    button.addEventListener("click", () => this.#giveUp(upload));
    this.#list.append(row);
    return upload;
  }

  /** The bar shows both halves of the way: to the page's server, and from there to the service. */
  #tell({ bar, words }: Upload, step: UploadStep, { loaded, total }: UploadProgress): void {
    const half = loaded / Math.max(total, 1) / 2;
    bar.value = total === 0 ? 1 : step === "sending" ? half : 0.5 + half;
    const amount = `${sizeWords(loaded)} of ${sizeWords(total)}`;
    if (step === "sending") setText(words, loaded < total ? `Sent ${amount}` : "Sent, waiting for the service…");
    else setText(words, loaded < total ? `Sent all, the service has ${amount}` : "The service stores it…");
  }

  /** @param again tries once more, where that can help */
  #fail({ file, row, bar, words, button }: Upload, reason: string, again?: () => void): void {
    bar.remove();
    row.dataset.tone = "bad";
    setText(words, sentence(reason));
    if (again !== undefined) {
      const label = `Try again to upload ${file.name}`;
      const retry = element("button", { type: "button", class: "button small", "aria-label": label }, "Try again");
      retry.addEventListener("click", again);
      button.before(retry);
    }
    button.setAttribute("aria-label", `Dismiss what is said of ${file.name}`);
    button.title = "Dismiss";
    this.#hooks.changed(file.name, "failed");
  }

  #retry({ file, row }: Upload): void {
    const upload = this.#show(file);
    row.replaceWith(upload.row);
    // Not its button: a key that is held down would cancel what it began.
    upload.row.tabIndex = -1;
    upload.row.focus();
    this.#waiting.push(upload);
    void this.#next();
  }

  #giveUp(upload: Upload): void {
    const isOpen = upload === this.#current || this.#waiting.includes(upload);
    this.#remove(upload);
    this.#waiting = this.#waiting.filter((other) => other !== upload);
    upload.given.abort();
    if (upload === this.#current) this.#current = undefined;
    if (isOpen) this.#hooks.changed(upload.file.name, "given up");
    void this.#next();
  }

  #remove({ row }: Upload): void {
    const hadFocus = row.contains(document.activeElement);
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    if (hadFocus) (next?.querySelector("button") ?? byId("files-upload", HTMLButtonElement)).focus();
  }
}

/** Whether the browser still has the file as it was chosen. */
function isReadable(file: File): Promise<boolean> {
  return file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
}
