// The sources under test, bundled as they are now: neither a build nor a binding is needed.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const { outputFiles } = await build({
  stdin: {
    contents: `
      export * from "./src/index.ts";
      export { Playout } from "./src/audio/playout.ts";
      export { Volume } from "./src/audio/volume.ts";
      export { withAudioWorkers } from "./src/audio/remote.ts";
      export { makeRing, RingReader, RingWriter } from "./src/audio/ring.ts";
      export { OrgoClient } from "./src/client.ts";
      export { errorFrom } from "./src/errors.ts";
      export { loadNative } from "./src/bindings/native.ts";
      export { once } from "./src/platform.ts";
      export { explainFailure, proxyFor, proxyWarning } from "./src/proxies.ts";
    `,
    resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
  },
  bundle: true,
  write: false,
  format: "esm",
  target: "es2022",
  sourcemap: "inline",
});

const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`;

export const source = await import(url);

/** Another copy of the package, with classes of its own. */
export const secondCopy = () => import(`${url}#second`);
