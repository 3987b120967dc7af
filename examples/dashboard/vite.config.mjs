import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  build: {
    target: "es2022",
    // The page's Content-Security-Policy admits files of this server and no data URLs.
    assetsInlineLimit: 0,
  },
});
