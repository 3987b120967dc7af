// Tests the packed package in Node.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createProject, run, withoutFiles } from "./project.mjs";

const imported = (name) => `
  import { createRequire } from "node:module";
  import { Orgo, NotFoundError } from ${JSON.stringify(name)};
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
before(() => {
  project = createProject({
    "import.mjs": imported("orgo-sdk"),
    "require.cjs": required,
    "bare.mjs": imported("orgo-bare"),
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

test("the package has no dependencies and no install scripts", () => {
  const { dependencies, peerDependencies, optionalDependencies, scripts = {} } = manifest;
  assert.deepEqual({ ...dependencies, ...peerDependencies, ...optionalDependencies }, {});
  assert.deepEqual(
    Object.keys(scripts).filter((name) => /install|prepare$/.test(name)),
    [],
  );
});

test("the package contains no paths of the build machine", () => {
  const homes = [homedir(), process.env.CARGO_HOME, fileURLToPath(new URL("../..", import.meta.url))];
  const files = readdirSync(project.installed, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const found = files.flatMap(({ parentPath, name }) => {
    const content = readFileSync(join(parentPath, name), "latin1");
    const paths = [
      ...homes.filter((home) => home && content.includes(home)),
      ...(content.match(/(?:\/root|\/home\/[\w.-]+|\/Users\/[\w.-]+)\/[\w./-]+/g) ?? []),
    ];
    return paths.map((path) => `${name}: ${path}`);
  });
  assert.ok(files.length > 0);
  assert.deepEqual(found, []);
});

test("an ES module can import the package, with the native binding", () => {
  const { kind, version, error } = run(project, "import.mjs");
  assert.deepEqual({ kind, version, error }, { kind: "native", version: manifest.version, error: "NotFoundError" });
});

test("importing the package does not load a binding", () => {
  assert.deepEqual(run(project, "import.mjs").loaded, []);
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
  withoutFiles(project, "orgo-bare", ["dist/native"]);
  const { kind, cause } = run(project, "bare.mjs");
  assert.equal(kind, "wasm");
  assert.match(cause, /no native addon can be loaded: .*orgo\..*\.node/);
});
