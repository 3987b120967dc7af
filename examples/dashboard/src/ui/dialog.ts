import { explain } from "../api/problem.js";
import { byId } from "./dom.js";

/**
 * A dialog that closes when its work is done and says why if it is not.
 *
 * @param work may return what is to be done once the dialog is closed, which gives the focus back to where it was
 */
export function setUpDialog(
  dialog: HTMLDialogElement,
  form: HTMLFormElement,
  problemId: string,
  work: () => Promise<(() => void) | void>,
): void {
  const problem = byId(problemId, HTMLParagraphElement);
  for (const button of dialog.querySelectorAll<HTMLButtonElement>("[data-close]")) {
    button.addEventListener("click", () => dialog.close());
  }
  dialog.addEventListener("close", () => {
    problem.hidden = true;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const submit = submitButton(form);
    const label = submit.textContent;
    submit.disabled = true;
    submit.textContent = submit.dataset.busy ?? label;
    problem.hidden = true;
    try {
      const then = await work();
      dialog.close();
      then?.();
    } catch (error) {
      const { message, advice } = explain(error);
      problem.textContent = [message, advice].filter(Boolean).join("\n");
      problem.hidden = false;
    } finally {
      submit.textContent = label;
      submit.disabled = false;
    }
  });
}

/** The text field of a form with this name, which index.html is certain to hold. */
export function field(form: HTMLFormElement, name: string): HTMLInputElement {
  const found = form.elements.namedItem(name);
  if (!(found instanceof HTMLInputElement)) throw new TypeError(`The form has no field ${name}`);
  return found;
}

export function submitButton(form: HTMLFormElement): HTMLButtonElement {
  const found = form.querySelector<HTMLButtonElement>("[type=submit]");
  if (found === null) throw new TypeError("The form has no button that submits it");
  return found;
}
