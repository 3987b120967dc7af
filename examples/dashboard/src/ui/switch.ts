/**
 * On a narrow page, chooses which of the panels below the screen is shown.
 *
 * @returns shows a panel by its name
 */
export function setUpSwitch(): (name: string) => void {
  const main = document.querySelector("main");
  const buttons = [...document.querySelectorAll<HTMLButtonElement>(".switch [data-show]")];
  const show = (name: string) => {
    if (main !== null) main.dataset.panel = name;
    for (const button of buttons) button.setAttribute("aria-current", String(button.dataset.show === name));
  };
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.show ?? ""));
  show("terminal");
  return show;
}
