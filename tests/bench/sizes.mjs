// How large what is shipped is, and how much source there is.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** The sizes of the built files, in bytes. */
export function shippedSizes(root) {
  const dist = join(root, "npm/dist");
  const addon = readdirSync(join(dist, "native")).find((name) => name.endsWith(".node"));
  const files = ["wasm/orgo_wasm_bg.wasm", "wasm/orgo_wasm.js", "browser.js", "worklet.js", `native/${addon}`];
  return Object.fromEntries(
    files.map((name) => {
      const content = readFileSync(join(dist, name));
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
      return [
        name,
        {
          raw: content.length,
          gzip: gzipSync(content, { level: 9 }).length,
          brotli: brotliCompressSync(content, { params }).length,
        },
      ];
    }),
  );
}

const CODE = new Set([".css", ".html", ".js", ".mjs", ".rs", ".ts"]);

/** Lines that are not blank, by folder: of programs, and of their tests. Generated files do not count. */
export function linesOfCode(root) {
  const names = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).trim().split("\n");
  const folders = {};
  for (const name of names) {
    if (!CODE.has(extname(name)) || name.includes("/generated/")) continue;
    const [top, second] = name.split("/");
    const folder = top === "examples" ? `${top}/${second}` : top;
    const test = top === "tests" || /\/tests?\/|\/tests?\.rs$/.test(name);
    const lines = readFileSync(join(root, name), "utf8").split("\n").filter((line) => line.trim() !== "");
    const counts = (folders[folder] ??= { code: 0, tests: 0 });
    counts[test ? "tests" : "code"] += lines.length;
  }
  return folders;
}
