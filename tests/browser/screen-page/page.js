// A page with a live screen. The test calls its functions.
import { Orgo } from "orgo-sdk";

const states = [];
/** The element with the last view. */
let element = document.querySelector("#screen");
let computer, connection, screen, view;

/** Opens the screen. `connection` can be replaced with `renew`. */
globalThis.open = async (given, params) => {
  connection = given;
  computer = Orgo.connect(connection, { refresh: async () => connection });
  screen = await computer.screen(params);
  screen.on("state", ({ status }) => states.push(status));
  globalThis.screenChannel = screen;
};
globalThis.renew = (given) => {
  connection = given;
};
globalThis.attach = (options, target = element) => {
  element = target;
  view = screen.attach(element, options);
  globalThis.screenView = view;
};
globalThis.states = states;

/** Returns the pixels that the view shows. */
function shown() {
  const canvas = element.querySelector("canvas");
  if (canvas === null) return { width: 0, height: 0, pixels: new Uint32Array() };
  const { width, height } = screen.size;
  const copy = new OffscreenCanvas(width, height).getContext("2d");
  copy.drawImage(canvas, 0, 0, width, height);
  return { width, height, pixels: new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer) };
}

/** Returns the number of shown pixels that differ from an image, outside the rectangle. */
globalThis.differences = async (png, { x, y, width, height }) => {
  const image = await createImageBitmap(new Blob([Uint8Array.from(atob(png), (character) => character.charCodeAt(0))]));
  const copy = new OffscreenCanvas(image.width, image.height).getContext("2d");
  copy.drawImage(image, 0, 0);
  const expected = new Uint32Array(copy.getImageData(0, 0, image.width, image.height).data.buffer);
  const found = shown();
  if (found.width !== image.width || found.height !== image.height) return Number.POSITIVE_INFINITY;
  return found.pixels.reduce((count, pixel, at) => {
    const [column, row] = [at % image.width, Math.floor(at / image.width)];
    const excluded = column >= x && column < x + width && row >= y && row < y + height;
    return count + (pixel !== expected[at] && !excluded);
  }, 0);
};

/** Returns the color of a shown pixel as `red,green,blue`. */
globalThis.color = (x, y) => {
  const { width, pixels } = shown();
  const pixel = pixels[y * width + x] ?? 0;
  return [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255].join();
};
