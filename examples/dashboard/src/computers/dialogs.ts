import { field, setUpDialog, submitButton } from "../ui/dialog.js";
import { byId, element } from "../ui/dom.js";
import { readable, typeable } from "../ui/names.js";
import type { ComputerStore } from "./store.js";

/** Asks for a new computer. */
export class CreateDialog {
  readonly #dialog = byId("create", HTMLDialogElement);
  readonly #form = byId("create-form", HTMLFormElement);
  readonly #workspace = byId("create-workspace", HTMLLabelElement);
  readonly #store: ComputerStore;

  /** @param created is called with the id of a new computer */
  constructor(store: ComputerStore, created: (id: string) => void) {
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
      return () => created(id);
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
    name.value = freeName(inventory?.computers.map((computer) => computer.name) ?? []);
    this.#dialog.showModal();
    name.select();
  }
}

/** Asks whether the selected computer is to be deleted, and has its name typed. */
export class DeleteDialog {
  readonly #dialog = byId("delete", HTMLDialogElement);
  readonly #form = byId("delete-form", HTMLFormElement);
  readonly #name = byId("delete-name", HTMLElement);
  readonly #store: ComputerStore;
  #target = { id: "", name: "" };

  /** @param deleted is called with the id of the computer that is selected then, if there is one */
  constructor(store: ComputerStore, deleted: (beside: string | undefined) => void) {
    this.#store = store;
    field(this.#form, "name").addEventListener("input", () => this.#compare());
    setUpDialog(this.#dialog, this.#form, "delete-problem", async () => {
      const beside = await store.remove(this.#target.id);
      return () => deleted(beside);
    });
  }

  open(): void {
    const { selected } = this.#store.state.get();
    if (selected === undefined) return;
    this.#target = { id: selected.id, name: selected.name ?? selected.id };
    this.#name.textContent = readable(this.#target.name);
    this.#form.reset();
    this.#compare();
    this.#dialog.showModal();
    field(this.#form, "name").focus();
  }

  #compare(): void {
    const isTyped = typeable(field(this.#form, "name").value) === typeable(this.#target.name);
    submitButton(this.#form).disabled = !isTyped;
  }
}

/** A name that no computer has yet. */
function freeName(taken: (string | undefined)[]): string {
  for (let number = taken.length + 1; ; number += 1) {
    const name = `computer-${number}`;
    if (!taken.includes(name)) return name;
  }
}
