import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Refused } from "./guard.mjs";
import { send } from "./http.mjs";

const FOLDER = fileURLToPath(new URL("../dist", import.meta.url));

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/**
 * Reads the built page. It is small, and what is served from memory cannot be led out of its folder by a path.
 *
 * @returns {(path: string, response: import("node:http").ServerResponse) => void} answers a request for a file
 * @throws {Error} if the page is not built
 */
export function loadPages() {
  /** @type {Map<string, { type: string, body: Buffer }>} */
  const files = new Map();
  for (const entry of listFolder()) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    files.set(path.slice(FOLDER.length).replaceAll("\\", "/"), { type, body: readFileSync(path) });
  }
  if (!files.has("/index.html"))
    throw new Error("The page is not built: run `npm run build --workspace examples/dashboard`");
  return (path, response) => {
    const file = files.get(path === "/" ? "/index.html" : path);
    if (file === undefined) throw new Refused(404, "There is no such page");
    // The names of assets hold a digest of their content.
    const caching = path.startsWith("/assets/") ? "private, max-age=31536000, immutable" : "no-cache";
    send(response, 200, file.type, file.body, { "cache-control": caching });
  };
}

function listFolder() {
  try {
    return readdirSync(FOLDER, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
}
