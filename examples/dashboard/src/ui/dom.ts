/** Returns the element with an id. Throws if no element has this id and type, which is an error in index.html. */
export function byId<Type extends Element>(id: string, type: new () => Type): Type {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new TypeError(`index.html must have a ${type.name} with the id ${id}`);
  return found;
}

type Child = Node | string;

/** Creates an element. Strings become text nodes, so text from a computer is never parsed as markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== undefined) created.setAttribute(attribute, value);
  }
  created.append(...children);
  return created;
}

/** Creates an icon from the sprite in index.html. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(useIcon(name));
  return svg;
}

/** Replaces the icon of an element. */
export function setIcon(holder: Element, name: string): void {
  holder.querySelector("svg")?.replaceChildren(useIcon(name));
}

/** Sets the text of an element if the text differs, because a live region announces every assignment. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** The tone of a state, which determines its color. */
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
 * Makes a change that may hide or disable the focused element. If it does, moves the focus to a nearby element. Otherwise no
 * element would have the focus, and the next Tab would go to the first element of the page.
 *
 * @param holder the element that contains the change
 * @param next returns the element that gets the focus
 */
export function keepFocus(holder: Element, change: () => void, next: () => HTMLElement): void {
  const focused = document.activeElement;
  const had = focused !== null && holder.contains(focused);
  change();
  if (had && (!focused.isConnected || !focused.checkVisibility() || focused.matches(":disabled"))) {
    next().focus({ preventScroll: true });
  }
}
