import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const SDK = dirname(createRequire(import.meta.url).resolve("orgo-sdk"));
/** The digest of the inputs of the last build. The server does not serve this file. */
const STAMP = join(FOLDER, "dist/.inputs");

/** Builds the page into `dist`, unless the last build had the same inputs. */
export async function buildDashboard() {
  const digest = digestOfInputs();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === digest) return;
  // A dynamic import, because other scripts may import this module before Vite is installed.
  const { build } = await import("vite");
  await build({ configFile: join(FOLDER, "vite.config.mjs"), logLevel: "warn" });
  for (const path of filesIn(join(FOLDER, "dist"))) compress(path);
  writeFileSync(STAMP, digest);
}

/** Writes compressed variants of a file. Both formats are needed: Firefox accepts Brotli only over HTTPS. */
function compress(path) {
  const content = readFileSync(path);
  const { BROTLI_PARAM_QUALITY: quality, BROTLI_PARAM_SIZE_HINT: hint, BROTLI_MAX_QUALITY: best } = constants;
  const variants = {
    ".br": brotliCompressSync(content, { params: { [quality]: best, [hint]: content.length } }),
    ".gz": gzipSync(content, { level: 9 }),
  };
  for (const [extension, data] of Object.entries(variants)) {
    if (data.length < content.length) writeFileSync(path + extension, data);
  }
}

function digestOfInputs() {
  const inputs = [
    ...["build.mjs", "index.html", "package.json", "vite.config.mjs"].map((name) => join(FOLDER, name)),
    ...["src", "shared", "public"].flatMap((name) => filesIn(join(FOLDER, name))),
    ...filesIn(SDK).filter((path) => /\.(js|wasm)$/.test(path)),
  ];
  const hash = createHash("sha256");
  for (const path of inputs) hash.update(path).update("\0").update(readFileSync(path)).update("\0");
  return hash.digest("hex");
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) await buildDashboard();
