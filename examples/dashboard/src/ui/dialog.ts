import { explain } from "../api/problem.js";
import { byId } from "./dom.js";

/**
 * Sets up a dialog that closes when its action succeeds and shows the error when it fails.
 *
 * @param action may return a callback, which runs after the dialog has closed and restored the previous focus
 */
export function setUpDialog(
  dialog: HTMLDialogElement,
  form: HTMLFormElement,
  problemId: string,
  action: () => Promise<(() => void) | undefined>,
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
      const afterClose = await action();
      dialog.close();
      afterClose?.();
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

/** Returns the text field with a name in a form. Throws if the field does not exist, which is an error in index.html. */
export function field(form: HTMLFormElement, name: string): HTMLInputElement {
  const found = form.elements.namedItem(name);
  if (!(found instanceof HTMLInputElement)) throw new TypeError(`The form must have a field ${name}`);
  return found;
}

export function submitButton(form: HTMLFormElement): HTMLButtonElement {
  const found = form.querySelector<HTMLButtonElement>("[type=submit]");
  if (found === null) throw new TypeError("The form must have a submit button");
  return found;
}
