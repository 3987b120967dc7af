// Creates the packages of a release with the addon of this machine, and checks them. Then checks that mistakes are found.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkManifests } from "../../scripts/lib/manifest.mjs";
import { readLibrary, recordedLibrary } from "../../scripts/lib/notices.mjs";
import { checkPublished } from "../../scripts/lib/published.mjs";
import { localTarget, packageName, TARGETS } from "../../scripts/lib/targets.mjs";
import { releaseDry } from "../../scripts/release.mjs";

const addonPackage = packageName(localTarget());

let folder, archives;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "orgo-release-"));
  archives = await releaseDry({ out: join(folder, "packages") });
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Returns the manifest in an archive. */
const manifestOf = (name) =>
  JSON.parse(execFileSync("tar", ["-xOzf", archives[name], "package/package.json"], { encoding: "utf8" }));

/** Copies a package, changes its files, and returns the problems that the check finds. */
async function problemsAfter(name, change) {
  const copy = mkdtempSync(join(folder, "changed-"));
  execFileSync("tar", ["-xzf", archives[name], "-C", copy]);
  change(join(copy, "package"));
  const archive = join(copy, "changed.tgz");
  execFileSync("tar", ["-czf", archive, "-C", copy, "package"]);
  const error = await checkPublished({ [name]: archive }, { portable: false }).catch((error) => error);
  return error?.message ?? "";
}

test("the release contains the package, the addon of this machine, and the crates", () => {
  assert.deepEqual(Object.keys(archives).sort(), ["orgo-core", "orgo-playout", "orgo-screen", "orgo-sdk", addonPackage].sort());
});

test("the package depends on the addons of all platforms in its version, and contains no addon", () => {
  const { version, optionalDependencies, dependencies, scripts, devDependencies } = manifestOf("orgo-sdk");
  assert.deepEqual(optionalDependencies, Object.fromEntries(TARGETS.map((target) => [packageName(target), version])));
  assert.deepEqual([dependencies, scripts, devDependencies], [undefined, undefined, undefined]);
  const files = execFileSync("tar", ["-tzf", archives["orgo-sdk"]], { encoding: "utf8" });
  assert.doesNotMatch(files, /\.node$/m);
});

test("a build of the package restores a script that a build of the modules has removed", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const script = join(root, "npm/dist/wasm/rest.js");
  const content = readFileSync(script);
  rmSync(script);
  try {
    execFileSync("npm", ["run", "--silent", "build", "--", "npm"], { cwd: root });
    assert.ok(existsSync(script));
    assert.deepEqual(readFileSync(script), content);
  } finally {
    if (!existsSync(script)) writeFileSync(script, content);
  }
});

test("npm installs the addon only on its platform", () => {
  const { os, cpu, libc, main, version } = manifestOf(addonPackage);
  assert.deepEqual({ os, cpu }, { os: [process.platform], cpu: [process.arch] });
  assert.deepEqual(libc, localTarget().libc && [localTarget().libc]);
  assert.equal(version, manifestOf("orgo-sdk").version);
  assert.equal(main, `orgo.${localTarget().name}.node`);
});

describe("the check of packages finds", () => {
  const addon = `orgo.${localTarget().name}.node`;
  const changeManifest = (folder, change) => {
    const path = join(folder, "package.json");
    const manifest = JSON.parse(readFileSync(path, "utf8"));
    change(manifest);
    writeFileSync(path, JSON.stringify(manifest));
  };
  const mistakes = {
    "orgo-sdk": {
      "a new file": [(it) => writeFileSync(join(it, "dist/secret.env"), "x"), /\+ dist\/secret\.env/],
      "a missing file": [(it) => rmSync(join(it, "dist/audio/worklet.js")), /- dist\/audio\/worklet\.js/],
      "a file that has grown": [(it) => appendFileSync(join(it, "dist/node.js"), " ".repeat(60_000)), /dist\/node\.js has/],
      "a missing license": [(it) => rmSync(join(it, "LICENSE-MIT")), /LICENSE-MIT is missing/],
      "a relative link": [(it) => appendFileSync(join(it, "README.md"), "[more](../x.md)"), /link \.\.\/x\.md in README/],
      "a link to a missing heading": [(it) => appendFileSync(join(it, "README.md"), "[more](#none)"), /link #none in README/],
      "an export without a file": [
        (it) => changeManifest(it, ({ exports }) => (exports["./missing"] = "./dist/missing.js")),
        /publint: .*dist\/missing\.js/,
      ],
      "wrong types for CommonJS": [
        (it) => changeManifest(it, ({ exports }) => (exports["."].node.require.types = exports["."].node.import.types)),
        /types: .*FalseESM/,
      ],
    },
    [addonPackage]: {
      "missing notices": [(it) => rmSync(join(it, "THIRD-PARTY-NOTICES.txt")), /THIRD-PARTY-NOTICES\.txt is missing/],
      "a path of the build machine": [
        (it) => appendFileSync(join(it, addon), "\0/home/builder/orgo/core/src/lib.rs\0"),
        /contains the path \/home\/builder\/orgo/,
      ],
      "an addon for another processor": [
        (it) => {
          const bytes = readFileSync(join(it, addon));
          bytes.writeUInt16LE(243, 18); // RISC-V
          writeFileSync(join(it, addon), bytes);
        },
        /it is not for/,
      ],
    },
  };
  for (const [name, cases] of Object.entries(mistakes)) {
    let problems;
    before(async () => {
      const changes = Object.values(cases).map(([change]) => change);
      problems = await problemsAfter(name, (it) => changes.forEach((change) => void change(it)));
    });
    for (const [mistake, [, expected]] of Object.entries(cases)) test(mistake, () => assert.match(problems, expected));
  }
});

describe("the version", () => {
  const MANIFESTS = ["Cargo.toml", "Cargo.lock", "core/fuzz/Cargo.lock", "desktop/fuzz/Cargo.lock", "package-lock.json"];
  const DOCUMENTS = ["CHANGELOG.md", "README.md", "npm/README.md"];
  const root = fileURLToPath(new URL("../..", import.meta.url));
  let copy;
  before(() => {
    copy = join(folder, "project");
    for (const path of ["scripts", "npm/src/bindings", "npm/package.json", ...MANIFESTS, ...DOCUMENTS]) {
      cpSync(join(root, path), join(copy, path), { recursive: true });
    }
  });
  const read = (path) => readFileSync(join(copy, path), "utf8");
  const script = (code) => spawnSync(process.execPath, ["--input-type=module", "--eval", code], { cwd: copy, encoding: "utf8" });
  const check = (options = "") =>
    script(`import { checkManifests } from "./scripts/lib/manifest.mjs"; checkManifests(${options});`).stderr;

  test("is set in all files by one command", () => {
    assert.equal(check(), "");
    const { status, stderr } = spawnSync(process.execPath, ["scripts/release.mjs", "version", "98.7.6"], {
      cwd: copy,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    assert.equal(check(), "");
    for (const path of ["npm/package.json", ...MANIFESTS, ...DOCUMENTS]) assert.match(read(path), /98\.7\.6/, path);
    assert.match(read("CHANGELOG.md"), /^## Unreleased\n\n## 98\.7\.6 - \d{4}-\d\d-\d\d\n/m);
  });

  test("must be equal in all files", () => {
    writeFileSync(join(copy, "npm/package.json"), read("npm/package.json").replace("98.7.6", "98.7.5"));
    assert.match(check(), /npm\/package\.json differs from Cargo\.toml: run `npm run release:version`/);
  });
});

test("the release workflow builds the addons of all platforms", () => {
  const workflow = readFileSync(new URL("../../.github/workflows/release.yml", import.meta.url), "utf8");
  const names = [...workflow.matchAll(/^ +- \{ name: ([\w-]+),/gm)].map(([, name]) => name);
  assert.deepEqual(
    names,
    TARGETS.map(({ name }) => name),
  );
});

test("the notices name the linked crates, the bundled package and the standard library", () => {
  const expected = {
    "orgo-sdk": ["ws", "serde", "wasm-bindgen", "Rust standard library"],
    [addonPackage]: ["tokio", "rustls", "ring", "napi", "Rust standard library"],
  };
  for (const [name, components] of Object.entries(expected)) {
    const path = "package/THIRD-PARTY-NOTICES.txt";
    const text = execFileSync("tar", ["-xOzf", archives[name], path], { encoding: "utf8" });
    for (const component of components) assert.match(text, new RegExp(`^${component}( [\\d.]+)? \\(`, "m"), name);
  }
});

test("the record of the standard library is complete, and agrees with the toolchain", () => {
  const recorded = recordedLibrary();
  assert.ok(recorded.components.length > 10);
  for (const { name, license, texts } of recorded.components) assert.ok(license !== "" && texts.join("").length > 500, name);
  const library = readLibrary();
  // `npm run release:dry -- --update` records the list of a new version.
  if (library?.rust === recorded.rust) assert.deepEqual(recorded, library);
});

test("a release needs a tag of its version and an entry in the changelog", () => {
  assert.throws(() => checkManifests({ tag: "v999.0.0" }), /the tag is v999\.0\.0, but the version/);
  assert.throws(() => checkManifests({ tag: "v999.0.0" }), /CHANGELOG\.md is not for/);
});
