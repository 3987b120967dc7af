import type { StoredFile } from "../api/types.js";
import { byId, element, icon, setText } from "../ui/dom.js";
import { displayName } from "../ui/names.js";
import { formatTime } from "../ui/time.js";
import { formatDate, formatSize } from "./format.js";

export interface FileActions {
  download(file: StoredFile): void;
  delete(file: StoredFile): void;
}

/** Lists the stored files, newest first. */
export class FileList {
  readonly #list = byId("files-list", HTMLUListElement);
  readonly #actions: FileActions;
  /** The row of each file, by id. A refresh reuses the rows to keep the focus. */
  readonly #rows = new Map<string, HTMLLIElement>();
  #allowed = { drop: false, change: false };

  constructor(actions: FileActions) {
    this.#actions = actions;
  }

  /** Sets whether files can be dropped, and whether stored files can be downloaded and deleted (`change`). */
  allow(allowed: { drop: boolean; change: boolean }): void {
    this.#allowed = allowed;
    for (const row of this.#rows.values()) enable(row, allowed.change);
    const empty = this.#list.querySelector("[data-empty] p");
    if (empty !== null) setText(empty, this.#emptyText());
  }

  /** Shows the files, which must be sorted from oldest to newest. */
  show(files: StoredFile[]): void {
    this.#list.querySelector(".empty")?.remove();
    const ids = new Set(files.map(({ id }) => id));
    for (const [id, row] of this.#rows) if (!ids.has(id)) this.#remove(id, row);
    for (const file of files) if (!this.#rows.has(file.id)) this.#add(file);
    if (files.length > 0) return;
    this.showMessage(this.#emptyText());
    this.#list.querySelector(".empty")?.toggleAttribute("data-empty", true);
  }

  /** Shows a message in place of the files. */
  showMessage(text: string, action?: { label: string; run: () => void }): void {
    // Keep the existing button, which may have the focus.
    if (this.#list.querySelector(".empty p")?.textContent === text) return;
    this.#rows.clear();
    const message = element("li", { class: "empty" }, element("p", {}, text));
    if (action !== undefined) {
      const button = element("button", { type: "button", class: "button small" }, action.label);
      button.addEventListener("click", action.run);
      message.append(button);
    }
    this.#list.replaceChildren(message);
  }

  #emptyText(): string {
    const how = "Drop files here or on the screen to save them to the computer's desktop.";
    return this.#allowed.drop ? `No files yet. ${how}` : "No files yet.";
  }

  #add(file: StoredFile): void {
    const name = nameOf(file);
    const download = action("download", `Download ${name}`, "Download");
    download.addEventListener("click", () => this.#actions.download(file));
    const remove = action("trash", `Delete ${name}`, "Delete");
    remove.addEventListener("click", () => this.#actions.delete(file));
    const row = element("li", {}, element("strong", { title: name }, name), facts(file), download, remove);
    enable(row, this.#allowed.change);
    this.#rows.set(file.id, row);
    this.#list.prepend(row);
  }

  #remove(id: string, row: HTMLLIElement): void {
    const hadFocus = row.contains(document.activeElement);
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.#rows.delete(id);
    if (hadFocus) (next?.querySelector("button") ?? byId("files-upload", HTMLButtonElement)).focus();
  }
}

export function nameOf({ filename, id }: StoredFile): string {
  return displayName(filename ?? id);
}

function enable(row: HTMLElement, enabled: boolean): void {
  for (const button of row.querySelectorAll("button")) button.disabled = !enabled;
}

function action(name: string, label: string, title: string): HTMLButtonElement {
  return element("button", { type: "button", class: "button small icon-only", "aria-label": label, title }, icon(name));
}

function facts({ size_bytes, created_at, source }: StoredFile): HTMLParagraphElement {
  const line = element("p", { class: "muted tabular" });
  const at = new Date(created_at ?? "");
  const parts: (string | HTMLElement)[] = [];
  if (size_bytes !== undefined) parts.push(formatSize(size_bytes));
  if (!Number.isNaN(at.getTime())) {
    const isToday = at.toDateString() === new Date().toDateString();
    const title = `${formatDate(at)}, ${formatTime(at)}`;
    parts.push(element("time", { datetime: created_at, title }, isToday ? formatTime(at) : formatDate(at)));
  }
  if (source === "export") parts.push("exported");
  for (const [index, part] of parts.entries()) line.append(...(index === 0 ? [part] : [" · ", part]));
  return line;
}
