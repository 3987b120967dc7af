import type { UploadProgress } from "orgo-sdk";
import { MAX_FILE_SIZE } from "../../shared/limits.mjs";
import type { UploadStep } from "../api/client.js";
import { paragraph, sentence } from "../api/problem.js";
import { byId, element, icon, setText } from "../ui/dom.js";
import { displayName } from "../ui/names.js";
import { formatSize } from "./format.js";

export interface UploadHooks {
  send(file: File, onProgress: (step: UploadStep, progress: UploadProgress) => void, signal: AbortSignal): Promise<void>;
  /** Called when the status of an upload changes. */
  onStatus(name: string, status: "started" | "done" | "failed" | "canceled"): void;
}

interface Upload {
  file: File;
  row: HTMLLIElement;
  bar: HTMLProgressElement;
  text: HTMLParagraphElement;
  button: HTMLButtonElement;
  abort: AbortController;
}

/** Uploads files one after the other and shows their progress. Failed uploads stay until the user retries or dismisses them. */
export class Uploads {
  readonly #list = byId("uploads-list", HTMLUListElement);
  readonly #hooks: UploadHooks;
  #queue: Upload[] = [];
  #current: Upload | undefined;

  constructor(hooks: UploadHooks) {
    this.#hooks = hooks;
  }

  add(files: Iterable<File>): void {
    for (const file of files) {
      if (file.size > MAX_FILE_SIZE) {
        this.reject(file.name, `The file is too large (${formatSize(file.size)}); the maximum is ${formatSize(MAX_FILE_SIZE)}.`);
      } else {
        this.#queue.push(this.#addRow(file));
      }
    }
    void this.#next();
  }

  /** Adds a row that shows why a selected file is not uploaded. */
  reject(name: string, reason: string): void {
    const upload = this.#addRow(new File([], name));
    this.#fail(upload, reason);
  }

  /** Cancels all uploads and clears the list. */
  clear(): void {
    this.#queue = [];
    this.#current?.abort.abort();
    this.#current = undefined;
    this.#list.replaceChildren();
  }

  async #next(): Promise<void> {
    if (this.#current !== undefined) return;
    const upload = this.#queue.shift();
    if (upload === undefined) return;
    this.#current = upload;
    const { file, abort } = upload;
    this.#hooks.onStatus(file.name, "started");
    upload.bar.hidden = false;
    setText(upload.text, "Uploading…");
    try {
      await this.#hooks.send(file, (step, progress) => this.#showProgress(upload, step, progress), abort.signal);
      if (abort.signal.aborted) return;
      this.#remove(upload);
      this.#hooks.onStatus(file.name, "done");
    } catch (error) {
      const isIntact = await isReadable(file);
      if (abort.signal.aborted) return;
      if (isIntact) this.#fail(upload, paragraph(error), () => this.#retry(upload));
      else this.#fail(upload, "The file was changed, moved or deleted after you selected it. Select it again.");
    }
    this.#current = undefined;
    void this.#next();
  }

  #addRow(file: File): Upload {
    const name = displayName(file.name);
    const bar = element("progress", { "aria-label": `Upload of ${name}`, hidden: "" });
    const text = element("p", { class: "muted tabular" }, "Waiting");
    const label = `Cancel the upload of ${name}`;
    const button = element(
      "button",
      { type: "button", class: "button small icon-only", "aria-label": label, title: "Cancel" },
      icon("close"),
    );
    const row = element("li", {}, element("strong", { title: name }, name), text, bar, button);
    const upload = { file, row, bar, text, button, abort: new AbortController() };
    button.addEventListener("click", () => this.#cancel(upload));
    this.#list.append(row);
    return upload;
  }

  /** Shows the progress: the first half of the bar is the transfer to the page's server, the second half that to the service. */
  #showProgress({ bar, text }: Upload, step: UploadStep, { loaded, total }: UploadProgress): void {
    const half = loaded / Math.max(total, 1) / 2;
    bar.value = total === 0 ? 1 : step === "sending" ? half : 0.5 + half;
    const amount = `${formatSize(loaded)} of ${formatSize(total)}`;
    if (step === "sending") setText(text, loaded < total ? `Sent ${amount}` : "Sent, waiting for the service…");
    else setText(text, loaded < total ? `Stored ${amount}` : "Finishing…");
  }

  /** Shows that an upload failed. `onRetry` retries the upload. It is absent if a retry cannot succeed. */
  #fail({ file, row, bar, text, button }: Upload, reason: string, onRetry?: () => void): void {
    bar.remove();
    row.dataset.tone = "bad";
    setText(text, sentence(reason));
    if (onRetry !== undefined) {
      const label = `Retry the upload of ${file.name}`;
      const retry = element("button", { type: "button", class: "button small", "aria-label": label }, "Retry");
      retry.addEventListener("click", onRetry);
      button.before(retry);
    }
    button.setAttribute("aria-label", `Dismiss the failed upload of ${file.name}`);
    button.title = "Dismiss";
    this.#hooks.onStatus(file.name, "failed");
  }

  #retry({ file, row }: Upload): void {
    const upload = this.#addRow(file);
    row.replaceWith(upload.row);
    // Focus the row and not its button: a held Enter would cancel the new upload.
    upload.row.tabIndex = -1;
    upload.row.focus();
    this.#queue.push(upload);
    void this.#next();
  }

  #cancel(upload: Upload): void {
    const isOpen = upload === this.#current || this.#queue.includes(upload);
    this.#remove(upload);
    this.#queue = this.#queue.filter((other) => other !== upload);
    upload.abort.abort();
    if (upload === this.#current) this.#current = undefined;
    if (isOpen) this.#hooks.onStatus(upload.file.name, "canceled");
    void this.#next();
  }

  #remove({ row }: Upload): void {
    const hadFocus = row.contains(document.activeElement);
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    if (hadFocus) (next?.querySelector("button") ?? byId("files-upload", HTMLButtonElement)).focus();
  }
}

/** Returns whether the browser can still read the selected file. */
function isReadable(file: File): Promise<boolean> {
  return file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
}
