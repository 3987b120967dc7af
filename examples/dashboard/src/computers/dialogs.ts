import { field, setUpDialog, submitButton } from "../ui/dialog.js";
import { byId, element } from "../ui/dom.js";
import { displayName, normalizeName } from "../ui/names.js";
import type { ComputerStore } from "./store.js";

/** The dialog that creates a computer. */
export class CreateDialog {
  readonly #dialog = byId("create", HTMLDialogElement);
  readonly #form = byId("create-form", HTMLFormElement);
  readonly #workspace = byId("create-workspace", HTMLLabelElement);
  readonly #store: ComputerStore;

  /** @param onCreated called with the id of the new computer */
  constructor(store: ComputerStore, onCreated: (id: string) => void) {
    this.#store = store;
    setUpDialog(this.#dialog, this.#form, "create-problem", async () => {
      const data = new FormData(this.#form);
      const workspace_id = String(data.get("workspace_id") ?? "");
      const id = await store.create({
        name: String(data.get("name")).trim(),
        ...(workspace_id !== "" && { workspace_id }),
        ram: Number(data.get("ram")),
        cpu: Number(data.get("cpu")),
        resolution: String(data.get("resolution")),
      });
      return () => onCreated(id);
    });
  }

  open(): void {
    const { inventory } = this.#store.state.get();
    const workspaces = inventory?.workspaces ?? [];
    const options = workspaces.map(({ id, name }) => element("option", { value: id }, name ?? id ?? ""));
    this.#workspace.querySelector("select")?.replaceChildren(...options);
    this.#workspace.hidden = workspaces.length < 2;
    this.#form.reset();
    const name = field(this.#form, "name");
    name.value = unusedName(inventory?.computers.map((computer) => computer.name) ?? []);
    this.#dialog.showModal();
    name.select();
  }
}

/** The dialog that deletes the selected computer. To confirm, the user types the computer's name. */
export class DeleteDialog {
  readonly #dialog = byId("delete", HTMLDialogElement);
  readonly #form = byId("delete-form", HTMLFormElement);
  readonly #name = byId("delete-name", HTMLElement);
  readonly #store: ComputerStore;
  #target = { id: "", name: "" };

  /** @param onDeleted called with the id of the computer that is now selected, or `undefined` if no computer is left */
  constructor(store: ComputerStore, onDeleted: (next: string | undefined) => void) {
    this.#store = store;
    field(this.#form, "name").addEventListener("input", () => this.#validate());
    setUpDialog(this.#dialog, this.#form, "delete-problem", async () => {
      const next = await store.remove(this.#target.id);
      return () => onDeleted(next);
    });
  }

  open(): void {
    const { selected } = this.#store.state.get();
    if (selected === undefined) return;
    this.#target = { id: selected.id, name: selected.name ?? selected.id };
    this.#name.textContent = displayName(this.#target.name);
    this.#form.reset();
    this.#validate();
    this.#dialog.showModal();
    field(this.#form, "name").focus();
  }

  #validate(): void {
    const isConfirmed = normalizeName(field(this.#form, "name").value) === normalizeName(this.#target.name);
    submitButton(this.#form).disabled = !isConfirmed;
  }
}

/** Returns a name that no computer has. */
function unusedName(existing: (string | undefined)[]): string {
  for (let number = existing.length + 1; ; number += 1) {
    const name = `computer-${number}`;
    if (!existing.includes(name)) return name;
  }
}
