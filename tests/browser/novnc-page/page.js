// A page with an unchanged noVNC.
import RFB from "@novnc/novnc";

const screen = document.querySelector("#screen");
let rfb;

/** Connects, and returns the name of the first event: `connect`, `securityfailure` or `disconnect`. */
globalThis.connect = (url, password) =>
  new Promise((resolve) => {
    rfb = new RFB(screen, url, { credentials: { password } });
    for (const name of ["connect", "securityfailure", "disconnect"]) {
      rfb.addEventListener(name, ({ detail }) => resolve(detail?.reason ?? name));
    }
  });

globalThis.disconnect = () =>
  new Promise((resolve) => {
    rfb.addEventListener("disconnect", () => resolve());
    rfb.disconnect();
  });

/** Returns the number of pixels that differ from an image, outside the rectangle. */
globalThis.differences = async (png, { x, y, width, height }) => {
  const canvas = screen.querySelector("canvas");
  const image = await createImageBitmap(new Blob([Uint8Array.fromBase64?.(png) ?? bytes(png)]));
  const other = new OffscreenCanvas(image.width, image.height).getContext("2d");
  other.drawImage(image, 0, 0);
  if (canvas.width !== image.width || canvas.height !== image.height) return Number.POSITIVE_INFINITY;
  const [found, expected] = [canvas.getContext("2d"), other].map(
    (context) => new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer),
  );
  return found.reduce((count, pixel, at) => {
    const [column, row] = [at % image.width, Math.floor(at / image.width)];
    const excluded = column >= x && column < x + width && row >= y && row < y + height;
    return count + (pixel !== expected[at] && !excluded);
  }, 0);
};

const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
