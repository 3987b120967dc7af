// The workloads of the browser benchmark. page/main.mjs contains their code.

/**
 * The workloads by name: the function of the page, its settings, the variant to which the others are compared, and all variants.
 * `quick` is a smaller size for tests.
 */
export const workloads = (quick = false) => {
  const size = (full, small) => (quick ? small : full);
  const clicks = { code: "click", base: "fetch", variants: ["sdk", "fetch"] };
  const terminal = (size, count) => ({
    ...{ code: "terminal", base: "WebSocket", variants: ["sdk", "WebSocket"] },
    settings: { size, count },
  });
  return {
    "click, 1 at a time": { ...clicks, settings: { count: size(1000, 20), warmUp: size(200, 5) } },
    "click, 16 at once": { ...clicks, settings: { count: size(2000, 32), warmUp: size(200, 16), parallel: 16 } },
    // V8 has then compiled the code of all variants with its optimizing compilers.
    "click, 1 at a time, after 3,000": { ...clicks, settings: { count: size(1000, 20), warmUp: size(3000, 5) } },
    "click, 16 at once, after 3,000": { ...clicks, settings: { count: size(2000, 32), warmUp: size(3000, 16), parallel: 16 } },
    "screenshot, 900 kB, to pixels": {
      ...{ code: "pixels", base: "atob", variants: ["sdk", "atob", "fromBase64", "dataUrl"] },
      settings: { count: size(60, 2), warmUp: size(10, 1) },
    },
    "terminal in xterm.js, 64 B": terminal(64, size(40_000, 500)),
    "terminal in xterm.js, 1 kB": terminal(1024, size(6000, 100)),
    "terminal in xterm.js, 16 kB": terminal(16_384, size(400, 10)),
  };
};
