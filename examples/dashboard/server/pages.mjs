import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Refused } from "./guard.mjs";
import { sendTagged, tagOf } from "./http.mjs";

const FOLDER = fileURLToPath(new URL("../dist", import.meta.url));

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** The encodings that the build makes of a file, the smallest first, with the ends of their names. */
const ENCODINGS = [
  ["br", ".br"],
  ["gzip", ".gz"],
];

/**
 * Reads the built page. It is small, and what is served from memory cannot be led out of its folder by a path.
 *
 * @returns {(path: string, response: import("node:http").ServerResponse) => void} answers a request for a file
 * @throws {Error} if the page is not built
 */
export function loadPages() {
  /** @type {Map<string, { type: string, forms: { encoding?: string, body: Buffer, tag: string }[] }>} */
  const files = new Map();
  const entries = listFolder().filter((entry) => entry.isFile());
  const paths = new Set(entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name)));
  for (const path of paths) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    const forms = [...ENCODINGS, [undefined, ""]]
      .filter(([, end]) => paths.has(path + end))
      .map(([encoding, end]) => {
        const body = readFileSync(path + end);
        return { encoding, body, tag: tagOf(body) };
      });
    files.set(path.slice(FOLDER.length).replaceAll("\\", "/"), { type, forms });
  }
  if (!files.has("/index.html")) throw new Error("The page is not built: run `npm run build --workspace examples/dashboard`");
  return (path, response) => {
    const file = files.get(path === "/" ? "/index.html" : path);
    if (file === undefined) throw new Refused(404, "There is no such page");
    // The names of assets hold a digest of their content.
    const caching = path.startsWith("/assets/") ? "private, max-age=31536000, immutable" : "no-cache";
    const accepted = encodings(response.req.headers["accept-encoding"]);
    const { encoding, body, tag } = file.forms.find((form) => form.encoding === undefined || accepted.has(form.encoding));
    sendTagged(response, file.type, body, tag, {
      "cache-control": caching,
      vary: "accept-encoding",
      ...(encoding !== undefined && { "content-encoding": encoding }),
    });
  };
}

/** The encodings that a browser names, except those that it refuses by the weight 0. */
function encodings(header = "") {
  const named = header.split(",").map((item) =>
    item
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/),
  );
  return new Set(named.filter(([, weight]) => !/^q=0(\.0*)?$/.test(weight ?? "")).map(([name]) => name));
}

function listFolder() {
  try {
    return readdirSync(FOLDER, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
}
