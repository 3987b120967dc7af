import type { StoredFile } from "../api/types.js";
import { field, setUpDialog } from "../ui/dialog.js";
import { byId, setText } from "../ui/dom.js";
import { nameOf } from "./list.js";

/** Asks which file of the computer is to be stored. */
export class ExportDialog {
  readonly #dialog = byId("export", HTMLDialogElement);
  readonly #form = byId("export-form", HTMLFormElement);

  constructor(work: (path: string) => Promise<void>) {
    setUpDialog(this.#dialog, this.#form, "export-problem", () => work(field(this.#form, "path").value.trim()));
  }

  open(): void {
    this.#dialog.showModal();
    field(this.#form, "path").select();
  }
}

/** Asks whether a file is to be deleted, which cannot be undone. A key that is pressed by chance does not do it. */
export class DeleteFileDialog {
  readonly #dialog = byId("delete-file", HTMLDialogElement);
  readonly #name = byId("delete-file-name", HTMLElement);
  #target: StoredFile | undefined;

  constructor(work: (file: StoredFile) => Promise<void>) {
    setUpDialog(this.#dialog, byId("delete-file-form", HTMLFormElement), "delete-file-problem", async () => {
      if (this.#target !== undefined) await work(this.#target);
    });
  }

  open(file: StoredFile): void {
    this.#target = file;
    setText(this.#name, nameOf(file));
    this.#dialog.showModal();
    this.#dialog.querySelector<HTMLElement>("[data-close]")?.focus();
  }
}
