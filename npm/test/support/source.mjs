// Bundles the sources under test, so that the tests need neither a build nor a binding.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const { outputFiles } = await build({
  stdin: {
    contents: `
      export * from "./src/index.ts";
      export * from "./src/channel/classes.ts";
      export * as classes from "./src/channel/classes.ts";
      export { openContent } from "./src/upload/content.ts";
      export { Playout } from "./src/audio/playout.ts";
      export { Volume } from "./src/audio/volume.ts";
      export { withAudioWorkers } from "./src/audio/workers.ts";
      export { Asset } from "./src/assets/asset.ts";
      export { configure } from "./src/assets/options.ts";
      export { createRing, RingReader, RingWriter } from "./src/audio/ring.ts";
      export { OrgoClient } from "./src/client.ts";
      export { errorFromRecord } from "./src/errors.ts";
      export { loadNative } from "./src/bindings/native.ts";
      export { localTarget, packageName, TARGETS } from "./src/bindings/targets.js";
      export { Painter } from "./src/screen/painter.ts";
      export { once } from "./src/platform.ts";
      export { explainFailure, proxyFor, proxyWarning } from "./src/proxies.ts";
    `,
    resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
  },
  bundle: true,
  define: { PACKAGE_VERSION: '"0.1.0"' },
  write: false,
  format: "esm",
  target: "es2022",
  sourcemap: "inline",
});

const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`;

export const source = await import(url);

/** Imports another copy of the package, with different class objects. */
export const secondCopy = () => import(`${url}#second`);
