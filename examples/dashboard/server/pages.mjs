import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { HttpError } from "./guard.mjs";
import { etagOf, sendWithEtag } from "./http.mjs";

const FOLDER = fileURLToPath(new URL("../dist", import.meta.url));

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** The encodings of the compressed variants and their file extensions, smallest first. */
const ENCODINGS = [
  ["br", ".br"],
  ["gzip", ".gz"],
];

/**
 * Reads the files of the built page into memory. They are small, and serving them from memory prevents path traversal.
 *
 * @returns {(path: string, response: import("node:http").ServerResponse) => void} sends the response to a request for a file
 * @throws {Error} if the page is not built
 */
export function loadPages() {
  /** @type {Map<string, { type: string, variants: { encoding?: string, body: Buffer, etag: string }[] }>} */
  const files = new Map();
  const entries = listFolder().filter((entry) => entry.isFile());
  const paths = new Set(entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name)));
  for (const path of paths) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    const variants = [...ENCODINGS, [undefined, ""]]
      .filter(([, extension]) => paths.has(path + extension))
      .map(([encoding, extension]) => {
        const body = readFileSync(path + extension);
        return { encoding, body, etag: etagOf(body) };
      });
    files.set(path.slice(FOLDER.length).replaceAll("\\", "/"), { type, variants });
  }
  if (!files.has("/index.html")) throw new Error("The page is not built: run `npm run build --workspace examples/dashboard`");
  return (path, response) => {
    const file = files.get(path === "/" ? "/index.html" : path);
    if (file === undefined) throw new HttpError(404, "Not found");
    // The names of assets contain a digest of their content.
    const caching = path.startsWith("/assets/") ? "private, max-age=31536000, immutable" : "no-cache";
    const accepted = encodings(response.req.headers["accept-encoding"]);
    const isAccepted = ({ encoding }) => encoding === undefined || accepted.has(encoding);
    const { encoding, body, etag } = file.variants.find(isAccepted);
    sendWithEtag(response, file.type, body, etag, {
      "cache-control": caching,
      vary: "accept-encoding",
      ...(encoding !== undefined && { "content-encoding": encoding }),
    });
  };
}

/** Parses an `Accept-Encoding` header. Excludes encodings with the weight 0, which the browser does not accept. */
function encodings(header = "") {
  const items = header.split(",").map((item) =>
    item
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/),
  );
  return new Set(items.filter(([, weight]) => !/^q=0(\.0*)?$/.test(weight ?? "")).map(([name]) => name));
}

function listFolder() {
  try {
    return readdirSync(FOLDER, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
}
