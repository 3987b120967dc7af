/** Finds an element of the page, which index.html is certain to hold. */
export function byId<Type extends Element>(id: string, type: new () => Type): Type {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new TypeError(`index.html has no ${type.name} with the id ${id}`);
  return found;
}

type Child = Node | string;

/** Makes an element. Texts become text nodes, so that what a computer sent is never read as markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(attribute, value);
  }
  made.append(...children);
  return made;
}

/** Makes an element of the page's set of icons. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(useIcon(name));
  return svg;
}

/** Shows another icon in an element that holds one. */
export function setIcon(holder: Element, name: string): void {
  holder.querySelector("svg")?.replaceChildren(useIcon(name));
}

/** Sets a text, unless it is there already: a live region announces every change. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** A state in words, in the colour of how good it is. */
export type Tone = "good" | "busy" | "idle" | "bad";

export function setState(target: HTMLElement, text: string, tone?: Tone): void {
  setText(target, text);
  target.title = text;
  if (tone === undefined) delete target.dataset.tone;
  else target.dataset.tone = tone;
}

function useIcon(name: string): SVGUseElement {
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  return use;
}

/**
 * Makes a change that may take away what has the focus, and gives the focus to something near then: a browser would
 * leave it to nothing, and the next Tab would begin at the top of the page.
 *
 * @param holder what may hold the focus
 * @param next what gets it if it is lost
 */
export function keepFocus(holder: Element, change: () => void, next: () => HTMLElement): void {
  const focused = document.activeElement;
  const had = focused !== null && holder.contains(focused);
  change();
  if (had && (!focused.isConnected || !focused.checkVisibility() || focused.matches(":disabled"))) {
    next().focus({ preventScroll: true });
  }
}
