// Counts what a page or its worker draws on the visible canvas.

/**
 * The source of a script that notes each animation frame in which something is drawn, in the page and in the worker in the same way:
 * `drawn.frames` contains the time of the first draw of each, and `drawn.last` is the time of the last draw.
 */
export const PROBE = `(${probe})()`;

function probe() {
  const drawn = { frames: [], last: 0 };
  globalThis.drawn = drawn;
  let pending = false;
  const note = (canvas) => {
    // noVNC also draws on a hidden canvas, which it copies to the visible one. In a worker, every canvas is a visible one.
    if (typeof document !== "undefined" && !canvas.isConnected) return;
    drawn.last = performance.timeOrigin + performance.now();
    if (pending) return;
    pending = true;
    drawn.frames.push(drawn.last);
    requestAnimationFrame(() => {
      pending = false;
    });
  };
  for (const name of ["CanvasRenderingContext2D", "OffscreenCanvasRenderingContext2D"]) {
    for (const method of ["putImageData", "drawImage"]) {
      const prototype = globalThis[name]?.prototype;
      const draw = prototype?.[method];
      if (draw === undefined) continue;
      prototype[method] = function (...args) {
        draw.apply(this, args);
        note(this.canvas);
      };
    }
  }
}
