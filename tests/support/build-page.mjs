// Builds a test page with Vite, by default without minification.
import { fileURLToPath } from "node:url";
import { build } from "vite";

/**
 * @param {URL} page the folder that contains `index.html`
 * @param {string} outDir the output folder, which is emptied first
 * @param {import("vite").BuildOptions} [settings] more settings for Vite
 */
export async function buildPage(page, outDir, settings) {
  const options = { outDir, emptyOutDir: true, minify: false, ...settings };
  await build({ root: fileURLToPath(page), logLevel: "warn", build: options });
}
