// Compiles programs with the declarations of the built package, with and without the types of Node and of the DOM.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const consumer = fileURLToPath(new URL("consumer", import.meta.url));
const npm = fileURLToPath(new URL("..", import.meta.url));
const tsc = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");

const project = mkdtempSync(join(tmpdir(), "orgo-types-"));
after(() => rmSync(project, { recursive: true }));
cpSync(consumer, project, { recursive: true });
mkdirSync(join(project, "node_modules/@types"), { recursive: true });
symlinkSync(npm, join(project, "node_modules/orgo-sdk"));
for (const name of ["@types/node", "undici-types"]) {
  symlinkSync(dirname(require.resolve(`${name}/package.json`)), join(project, "node_modules", name));
}

function compile(files, options, type = "module") {
  writeFileSync(join(project, "package.json"), JSON.stringify({ type }));
  const compilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: false,
    target: "ES2022",
    module: "NodeNext",
    types: [],
    ...options,
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const { stdout, status } = spawnSync(process.execPath, [tsc, "--project", project], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
}

const bundler = { module: "ESNext", moduleResolution: "Bundler", customConditions: ["browser"] };

test("an ES module needs no ambient types", () => compile(["program.ts"], { lib: ["ES2022"] }));
test("a CommonJS module needs no ambient types", () => compile(["program.ts"], { lib: ["ES2022"] }, "commonjs"));
test("a bundled page needs no ambient types", () => compile(["program.ts"], { ...bundler, lib: ["ES2022"] }));
test("a script works with the types of Node", () => {
  compile(["program.ts", "platform.ts", "script.ts"], { lib: ["ES2022"], types: ["node"] });
});
test("a page works with the types of the DOM", () => {
  compile(["program.ts", "platform.ts", "page.ts"], { ...bundler, lib: ["ES2022", "DOM"] });
});
test("both kinds of types work together", () => {
  compile(["program.ts", "platform.ts"], { lib: ["ES2022", "DOM", "DOM.Iterable"], types: ["node"] });
});
