/**
 * Sets up the tab bars, which select the visible panel in layouts without space for all panels. Each tab bar sets an
 * attribute of `<main>` to the selected panel, and the style sheet hides the other panels.
 *
 * @returns a function that selects a panel in every tab bar that has it
 */
export function setUpTabs(): (name: string) => void {
  const tabBars = [...document.querySelectorAll<HTMLElement>("[data-tabs]")].map(setUp);
  return (name) => {
    for (const show of tabBars) show(name);
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
    main?.setAttribute(`data-${element.dataset.tabs}`, name);
    for (const [other, button] of buttons) button.setAttribute("aria-current", String(other === name));
  };
  for (const [name, button] of buttons) button.addEventListener("click", () => show(name));
  const [first = ""] = buttons.keys();
  show(first);
  return show;
}
