// The declared effect of each call, which determines whether a retry is safe.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("../../npm/src/generated/operations.ts", import.meta.url))],
  write: false,
  format: "esm",
});

/** @type {Record<string, "read" | "idempotent" | "once">} */
export const { EFFECTS } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
