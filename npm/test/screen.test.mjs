// The parts of the live screen in a page that a browser cannot show at will.
import assert from "node:assert/strict";
import test, { afterEach } from "node:test";
import { source } from "./support/source.mjs";

const { Painter } = source;

afterEach(() => {
  delete globalThis.ImageData;
  delete globalThis.requestAnimationFrame;
  delete globalThis.cancelAnimationFrame;
});

test("an update is drawn although the browser reports no frames, as in a hidden page", { timeout: 10_000 }, async () => {
  globalThis.ImageData = class {
    constructor(data, width) {
      Object.assign(this, { data, width });
    }
  };
  globalThis.requestAnimationFrame = () => 1;
  globalThis.cancelAnimationFrame = () => {};
  let drawn = 0;
  let draws = () => {};
  const screen = { startDrawing() {}, stopDrawing() {}, pollDrawing: () => Uint32Array.of(0, 1, 1, 0, 0, 1, 1) };
  const context = {
    putImageData() {
      drawn += 1;
      draws();
    },
  };
  const painter = new Painter(screen, new WebAssembly.Memory({ initial: 1 }), assert.fail);
  painter.show(1, { width: 1, height: 1, getContext: () => context, addEventListener() {} });
  assert.equal(drawn, 1);
  // The next update is due within the same frame of the display.
  const next = new Promise((resolve) => {
    draws = resolve;
  });
  painter.update();
  assert.equal(drawn, 1);
  await next;
  assert.equal(drawn, 2);
});
