import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  build: {
    target: "es2022",
    // The page's Content-Security-Policy allows files of this server but no data URLs.
    assetsInlineLimit: 0,
  },
});
