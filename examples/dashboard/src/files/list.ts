import type { StoredFile } from "../api/types.js";
import { byId, element, icon, setText } from "../ui/dom.js";
import { readable } from "../ui/names.js";
import { timeOf } from "../ui/time.js";
import { dayOf, sizeWords } from "./words.js";

export interface FileActions {
  download(file: StoredFile): void;
  askToDelete(file: StoredFile): void;
}

/** The stored files, the newest on top. */
export class FileList {
  readonly #list = byId("files-list", HTMLUListElement);
  readonly #actions: FileActions;
  /** The row of each file. They stay when the list is asked for again, and with them the focus. */
  readonly #rows = new Map<string, HTMLLIElement>();
  #allowed = { drop: false, change: false };

  constructor(actions: FileActions) {
    this.#actions = actions;
  }

  /** @param allowed whether files can be dropped now, and whether stored ones can be downloaded and deleted */
  allow(allowed: { drop: boolean; change: boolean }): void {
    this.#allowed = allowed;
    for (const row of this.#rows.values()) enable(row, allowed.change);
    const empty = this.#list.querySelector("[data-empty] p");
    if (empty !== null) setText(empty, this.#emptyWords());
  }

  /** @param files the oldest first */
  show(files: StoredFile[]): void {
    this.#list.querySelector(".empty")?.remove();
    const there = new Set(files.map(({ id }) => id));
    for (const [id, row] of this.#rows) if (!there.has(id)) this.#remove(id, row);
    for (const file of files) if (!this.#rows.has(file.id)) this.#add(file);
    if (files.length > 0) return;
    this.say(this.#emptyWords());
    this.#list.querySelector(".empty")?.toggleAttribute("data-empty", true);
  }

  /** Says something in the place of the files. */
  say(text: string, action?: { label: string; run: () => void }): void {
    // A button that is there already keeps the focus.
    if (this.#list.querySelector(".empty p")?.textContent === text) return;
    this.#rows.clear();
    const words = element("li", { class: "empty" }, element("p", {}, text));
    if (action !== undefined) {
      const button = element("button", { type: "button", class: "button small" }, action.label);
      button.addEventListener("click", action.run);
      words.append(button);
    }
    this.#list.replaceChildren(words);
  }

  #emptyWords(): string {
    const how = "Drop some here or on the screen: they arrive on the computer's desktop.";
    return this.#allowed.drop ? `No files yet. ${how}` : "No files yet.";
  }

  #add(file: StoredFile): void {
    const name = nameOf(file);
    const download = action("download", `Download ${name}`, "Download");
    download.addEventListener("click", () => this.#actions.download(file));
    const remove = action("trash", `Delete ${name}`, "Delete");
    remove.addEventListener("click", () => this.#actions.askToDelete(file));
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
  return readable(filename ?? id);
}

function enable(row: HTMLElement, enabled: boolean): void {
  for (const button of row.querySelectorAll("button")) button.disabled = !enabled;
}

function action(name: string, label: string, title: string): HTMLButtonElement {
  return element("button", { type: "button", class: "button small icon-only", "aria-label": label, title }, icon(name));
}

function facts({ size_bytes, created_at, source }: StoredFile): HTMLParagraphElement {
  const shown = element("p", { class: "muted figures" });
  const at = new Date(created_at ?? "");
  const parts: (string | HTMLElement)[] = [];
  if (size_bytes !== undefined) parts.push(sizeWords(size_bytes));
  if (!Number.isNaN(at.getTime())) {
    const isToday = at.toDateString() === new Date().toDateString();
    const title = `${dayOf(at)}, ${timeOf(at)}`;
    parts.push(element("time", { datetime: created_at, title }, isToday ? timeOf(at) : dayOf(at)));
  }
  if (source === "export") parts.push("from the computer");
  parts.forEach((part, index) => shown.append(...(index === 0 ? [part] : [" · ", part])));
  return shown;
}
