/**
 * Lets the buttons of each switch choose which of its panels is shown, where there is no place for all of them. The
 * page's main part bears what is chosen, under the name of the switch.
 *
 * @returns shows a panel by its name, wherever there is a choice
 */
export function setUpSwitches(): (name: string) => void {
  const switches = [...document.querySelectorAll<HTMLElement>("[data-switch]")].map(setUp);
  return (name) => {
    for (const show of switches) show(name);
  };
}

function setUp(element: HTMLElement): (name: string) => void {
  const main = document.querySelector("main");
  const buttons = new Map<string, HTMLButtonElement>();
  for (const button of element.querySelectorAll<HTMLButtonElement>("[data-show]")) {
    buttons.set(button.dataset.show ?? "", button);
  }
  const show = (name: string) => {
    if (!buttons.has(name)) return;
    main?.setAttribute(`data-${element.dataset.switch}`, name);
    for (const [other, button] of buttons) button.setAttribute("aria-current", String(other === name));
  };
  for (const [name, button] of buttons) button.addEventListener("click", () => show(name));
  const [first = ""] = buttons.keys();
  show(first);
  return show;
}
