// Builds a page of the tests with Vite: by default readable.
import { fileURLToPath } from "node:url";
import { build } from "vite";

/**
 * @param {URL} page the folder with its `index.html`
 * @param {string} outDir where it goes; what is there is removed
 * @param {import("vite").BuildOptions} [settings] more of Vite's
 */
export async function buildPage(page, outDir, settings) {
  const options = { outDir, emptyOutDir: true, minify: false, ...settings };
  await build({ root: fileURLToPath(page), logLevel: "warn", build: options });
}
