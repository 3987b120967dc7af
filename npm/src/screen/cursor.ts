import type { Cursor } from "./messages.js";

/** The largest side of a cursor that browsers show, in pixels. */
const MAX_SIDE = 128;

/** Returns the CSS value for a shape of the pointer. */
export function cursorStyle(option: "remote" | "none", cursor: Cursor | undefined): string {
  if (option === "none") return "none";
  if (cursor === undefined) return "default";
  const { x, y, width, height, pixels } = cursor;
  // The computer hides the pointer, or draws it into the screen.
  if (width === 0 || height === 0) return "none";
  if (width > MAX_SIDE || height > MAX_SIDE) return "default";
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const data = new Uint8ClampedArray(pixels);
  canvas.getContext("2d")?.putImageData(new ImageData(data, width, height), 0, 0);
  return `url(${canvas.toDataURL()}) ${x} ${y}, default`;
}
