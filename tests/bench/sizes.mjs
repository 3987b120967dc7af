// Measures the sizes of the shipped files and of the source code.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const PAGE = '<!doctype html><title>Page</title><script type="module" src="/main.js"></script>';
const MAIN = 'import * as sdk from "orgo-sdk"; globalThis.sdk = sdk;';

/** Returns the sizes of the addon and of the files of {@link pageSizes}, in bytes. */
export async function shippedSizes(root) {
  const sizes = await pageSizes(root);
  const native = join(root, "npm/dist/native");
  for (const name of readdirSync(native)) sizes[name] = compressed(join(native, name));
  return sizes;
}

/** Returns the sizes of the minified files that a page with the whole package can download, in bytes. */
export async function pageSizes(root) {
  const sizes = {};
  // The folder is in the repository, so that the bundler can resolve the package.
  mkdirSync(join(root, "tests/.output"), { recursive: true });
  const project = mkdtempSync(join(root, "tests/.output/page-"));
  try {
    writeFileSync(join(project, "index.html"), PAGE);
    writeFileSync(join(project, "main.js"), MAIN);
    await build({ root: project, logLevel: "warn" });
    const assets = join(project, "dist/assets");
    for (const name of readdirSync(assets)) sizes[name.replace(/-[\w-]{8}(?=\.\w+$)/, "")] = compressed(join(assets, name));
  } finally {
    rmSync(project, { recursive: true });
  }
  return sizes;
}

function compressed(path) {
  const content = readFileSync(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  return {
    raw: content.length,
    gzip: gzipSync(content, { level: 9 }).length,
    brotli: brotliCompressSync(content, { params }).length,
  };
}

const CODE = new Set([".css", ".html", ".js", ".mjs", ".rs", ".ts"]);

/** Returns the numbers of non-blank lines of code and of tests, for each folder. Ignores generated files. */
export function linesOfCode(root) {
  const names = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).trim().split("\n");
  const folders = {};
  for (const name of names) {
    if (!CODE.has(extname(name)) || name.includes("/generated/")) continue;
    const [top, second] = name.split("/");
    const folder = top === "examples" ? `${top}/${second}` : top;
    const test = top === "tests" || /\/tests?\/|\/tests?\.rs$/.test(name);
    const lines = readFileSync(join(root, name), "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "");
    folders[folder] ??= { code: 0, tests: 0 };
    folders[folder][test ? "tests" : "code"] += lines.length;
  }
  return folders;
}
