import type { StoredFile } from "../api/types.js";
import { field, setUpDialog } from "../ui/dialog.js";
import { byId, setText } from "../ui/dom.js";
import { nameOf } from "./list.js";

/** The dialog that exports a file of the computer. */
export class ExportDialog {
  readonly #dialog = byId("export", HTMLDialogElement);
  readonly #form = byId("export-form", HTMLFormElement);

  constructor(exportFile: (path: string) => Promise<void>) {
    setUpDialog(this.#dialog, this.#form, "export-problem", async () => {
      await exportFile(field(this.#form, "path").value.trim());
    });
  }

  open(): void {
    this.#dialog.showModal();
    field(this.#form, "path").select();
  }
}

/** The dialog that deletes a file. The Cancel button has the focus, so an accidental Enter does not delete the file. */
export class DeleteFileDialog {
  readonly #dialog = byId("delete-file", HTMLDialogElement);
  readonly #name = byId("delete-file-name", HTMLElement);
  #target: StoredFile | undefined;

  constructor(deleteFile: (file: StoredFile) => Promise<void>) {
    setUpDialog(this.#dialog, byId("delete-file-form", HTMLFormElement), "delete-file-problem", async () => {
      if (this.#target !== undefined) await deleteFile(this.#target);
    });
  }

  open(file: StoredFile): void {
    this.#target = file;
    setText(this.#name, nameOf(file));
    this.#dialog.showModal();
    this.#dialog.querySelector<HTMLElement>("[data-close]")?.focus();
  }
}
