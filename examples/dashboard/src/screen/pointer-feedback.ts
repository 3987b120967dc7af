import type { Point } from "./geometry.js";

/** Shows clicks and drags immediately, before the computer's screen reacts to them. */
export class PointerFeedback {
  readonly #svg: SVGSVGElement;
  readonly #line: SVGLineElement;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
    const line = svg.querySelector("line");
    if (line === null) throw new TypeError("The element for pointer feedback must have a line");
    this.#line = line;
  }

  /** Shows the line of a drag. The points are in page coordinates. */
  line(start: Point, end: Point): void {
    const [from, to] = [this.#local(start), this.#local(end)];
    for (const [name, value] of Object.entries({ x1: from.x, y1: from.y, x2: to.x, y2: to.y })) {
      this.#line.setAttribute(name, String(value));
    }
    this.#line.removeAttribute("hidden");
  }

  ripple(point: Point): void {
    const { x, y } = this.#local(point);
    const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    for (const [name, value] of Object.entries({ cx: x, cy: y, r: 12, class: "ripple" }))
      circle.setAttribute(name, String(value));
    // A timer, because there is no `animationend` event if the user prefers reduced motion.
    setTimeout(() => circle.remove(), 500);
    this.#svg.append(circle);
  }

  clear(): void {
    this.#line.setAttribute("hidden", "");
  }

  #local({ x, y }: Point): Point {
    const { left, top } = this.#svg.getBoundingClientRect();
    return { x: x - left, y: y - top };
  }
}
