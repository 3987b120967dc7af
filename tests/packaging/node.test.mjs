// Tests the packed package in Node.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { localTarget, packageName, TARGETS } from "../../scripts/lib/targets.mjs";
import { createProject, run, write } from "./project.mjs";

const imported = `
  import { createRequire } from "node:module";
  import { Orgo, NotFoundError } from "orgo-sdk";
  const loaded = process.report.getReport().sharedObjects.filter((path) => path.endsWith(".node"));
  const { kind, version, fallback_cause } = await Orgo.bindingInfo();
  const cause = fallback_cause?.message;
  console.log(JSON.stringify({ kind, version, cause, loaded, error: NotFoundError.prototype.name }));
`;
const required = `
  const { Orgo, NotFoundError } = require("orgo-sdk");
  Orgo.bindingInfo().then(({ kind, version }) => {
    console.log(JSON.stringify({ kind, version, error: NotFoundError.prototype.name }));
  });
`;

let project;
let manifest;
const loadedFiles = `
  const { basename } = require("node:path");
  const before = new Set(process.moduleLoadList);
  require("orgo-sdk");
  // The resolver of Node loads internal modules.
  const builtins = process.moduleLoadList.filter((name) => !before.has(name) && !name.includes(" internal/"));
  console.log(JSON.stringify({ files: Object.keys(require.cache).map((path) => basename(path)).sort(), builtins }));
`;

const bothFormats = `
  import { createRequire } from "node:module";
  import { pathToFileURL } from "node:url";
  const path = createRequire(import.meta.url).resolve("orgo-sdk");
  const scripts = { module: await import("orgo-sdk"), required: createRequire(import.meta.url)("orgo-sdk") };
  // ES modules find the names of the exports of a CommonJS script in its text.
  scripts.named = await import(pathToFileURL(path));
  const names = (exports) => Object.keys(exports).filter((name) => !["default", "module.exports", "__esModule"].includes(name)).sort();
  const undefinedNames = names(scripts.named).filter((name) => scripts.named[name] === undefined);
  console.log(JSON.stringify({
    ...Object.fromEntries(Object.entries(scripts).map(([format, exports]) => [format, names(exports)])),
    undefinedNames,
    isMarked: scripts.required.__esModule,
  }));
`;

before(() => {
  project = createProject({
    "formats.mjs": bothFormats,
    "import.mjs": imported,
    "require.cjs": required,
    "files.cjs": loadedFiles,
  });
  manifest = JSON.parse(readFileSync(join(project.installed, "package.json"), "utf8"));
});
after(() => project?.remove());

test("the package contains every file that its manifest names", () => {
  const named = [];
  const collect = (value) => {
    if (typeof value === "string") named.push(value);
    else Object.values(value).forEach(collect);
  };
  collect([manifest.exports, manifest.main, manifest.module, manifest.types]);
  assert.deepEqual(
    named.filter((path) => !existsSync(join(project.installed, path))),
    [],
  );
});

test("the package has no dependencies except its addons, and no install scripts", () => {
  const { dependencies, peerDependencies, optionalDependencies, scripts = {} } = manifest;
  assert.deepEqual({ ...dependencies, ...peerDependencies }, {});
  assert.deepEqual(Object.keys(optionalDependencies), TARGETS.map(packageName));
  assert.deepEqual(
    Object.keys(scripts).filter((name) => /install|prepare$/.test(name)),
    [],
  );
});

test("an ES module can import the package, with the native binding", () => {
  const { kind, version, error } = run(project, "import.mjs");
  assert.deepEqual({ kind, version, error }, { kind: "native", version: manifest.version, error: "NotFoundError" });
});

test("importing the package does not load a binding", () => {
  assert.deepEqual(run(project, "import.mjs").loaded, []);
});

test("the import loads neither the code of channels, uploads and WebAssembly, nor further modules of Node", () => {
  assert.deepEqual(run(project, "files.cjs"), { files: ["files.cjs", "node.cjs", "shared.cjs"], builtins: [] });
});

test("both module formats have the same exports, and ES modules find those of the CommonJS script", () => {
  const { module, required, named, undefinedNames, isMarked } = run(project, "formats.mjs");
  assert.ok(module.includes("Orgo") && module.includes("NotFoundError"));
  assert.deepEqual(
    { required, named, undefinedNames, isMarked },
    { required: module, named: module, undefinedNames: [], isMarked: true },
  );
});

test("a CommonJS module can require the package, with the native binding", () => {
  assert.deepEqual(run(project, "require.cjs"), { kind: "native", version: manifest.version, error: "NotFoundError" });
});

for (const script of ["import.mjs", "require.cjs"]) {
  test(`ORGO_BINDING selects WebAssembly in ${script}`, () => {
    const { kind, version } = run(project, script, { ORGO_BINDING: "wasm" });
    assert.deepEqual({ kind, version }, { kind: "wasm", version: manifest.version });
  });
}

test("without the addon, the package falls back to WebAssembly and reports the cause", () => {
  const folder = mkdtempSync(join(tmpdir(), "orgo-bare-"));
  try {
    cpSync(project.installed, join(folder, "node_modules/orgo-sdk"), { recursive: true });
    write({ folder }, { "import.mjs": imported });
    const { kind, cause } = run({ folder }, "import.mjs");
    assert.equal(kind, "wasm");
    assert.match(cause, new RegExp(`no native addon can be loaded: the package ${packageName(localTarget())} is not installed`));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
