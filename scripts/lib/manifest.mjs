// Keeps the version and the addresses of the project equal in all manifests. The section `[workspace.package]` of Cargo.toml
// contains them. The Rust crates inherit them, and other files contain copies.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, root } from "./step.mjs";

const VERSION = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

const read = (path) => readFileSync(join(root, path), "utf8");

/** Returns the fields that Cargo.toml contains for all packages. */
export function project() {
  const section = /^\[workspace\.package\]\n(.*?)^\[/ms.exec(read("Cargo.toml"))?.[1] ?? "";
  const field = (name) => {
    const value = new RegExp(`^${name} = (.*)$`, "m").exec(section)?.[1];
    if (value === undefined) throw new Failure(`Cargo.toml: [workspace.package] has no ${name}`);
    return JSON.parse(value);
  };
  return {
    version: field("version"),
    author: field("authors").join(", "),
    homepage: field("homepage"),
    repository: field("repository"),
  };
}

/** Returns the places that contain copies: files, patterns of the text around a copy, and the values of the copies. */
function copies() {
  const { version, author, homepage, repository } = project();
  const inJson = (name) => new RegExp(`(^ {2}"${name}": ")[^"]*(")`, "gm");
  // The packages of the fuzzers have no releases.
  const inLock = /(name = "orgo-(?:[\w-]*(?<!-fuzz))"\nversion = ")[^"]*(")/g;
  return [
    ["Cargo.toml", /(orgo-(?:playout|screen) = \{ path = "core\/\w+", version = ")[^"]*(")/g, version],
    ["Cargo.lock", inLock, version],
    ["core/fuzz/Cargo.lock", inLock, version],
    ["desktop/fuzz/Cargo.lock", inLock, version],
    ["package-lock.json", /("name": "orgo-sdk",\n *"version": ")[^"]*(")/g, version],
    ["npm/package.json", inJson("version"), version],
    ["npm/package.json", inJson("author"), author],
    ["npm/package.json", inJson("homepage"), homepage],
    ["npm/package.json", inJson("bugs"), `${repository}/issues`],
    ["npm/package.json", /("repository": \{[^}]*"url": ")[^"]*(")/g, `git+${repository}.git`],
    ["README.md", /(npm\/orgo-sdk-)\d[\w.-]*?(\.tgz)/g, version],
    ["npm/README.md", /(npm\/orgo-sdk-)\d[\w.-]*?(\.tgz)/g, version],
  ];
}

/** Calls `onChange` for each file whose copies differ from Cargo.toml, with the content that the file should have. */
function compare(onChange) {
  const contents = new Map();
  for (const [path, pattern, value] of copies()) {
    const text = contents.get(path) ?? read(path);
    if (text.search(pattern) < 0) throw new Failure(`${path} does not contain ${pattern}`);
    contents.set(
      path,
      text.replace(pattern, (_, before, after) => before + value + after),
    );
  }
  for (const [path, text] of contents) if (text !== read(path)) onChange(path, text);
}

/**
 * Checks that all files agree with Cargo.toml, and that the changelog describes the version.
 *
 * @param {{ tag?: string }} options `tag`: the Git tag of a release, whose version must have an entry in the changelog
 */
export function checkManifests({ tag } = {}) {
  const { version } = project();
  const problems = [];
  compare((path) => problems.push(`${path} differs from Cargo.toml: run \`npm run release:version\``));
  const [newest] = changelogVersions();
  if (tag !== undefined && tag !== `v${version}`) problems.push(`the tag is ${tag}, but the version in Cargo.toml is ${version}`);
  if (tag !== undefined && newest !== version) problems.push(`the newest entry of CHANGELOG.md is not for ${version}`);
  for (const path of ["README.md", "npm/README.md"]) {
    if (tag !== undefined && /\b(?:not published|not on npm) yet\b/.test(read(path))) {
      problems.push(`${path} says that nothing is published yet`);
    }
  }
  if (newest !== undefined && newest !== version) {
    problems.push(`the newest version in CHANGELOG.md is ${newest}, but the version in Cargo.toml is ${version}`);
  }
  if (problems.length > 0) throw new Failure(problems.join("\n  "));
}

/** Returns the versions that have an entry in the changelog, the newest first. */
const changelogVersions = () => [...read("CHANGELOG.md").matchAll(/^## (\d\S*)/gm)].map(([, version]) => version);

/**
 * Copies the version and the addresses from Cargo.toml to all other files. With a version, sets this version first, and turns
 * the section "Unreleased" of the changelog into the entry of this version.
 *
 * @param {string} [version]
 * @returns {string[]} the paths of the changed files
 */
export function updateManifests(version) {
  const changed = [];
  const write = (path, text) => {
    writeFileSync(join(root, path), text);
    changed.push(path);
  };
  if (version !== undefined) {
    if (!VERSION.test(version)) throw new Failure(`${version} is not a valid version, such as 1.2.3`);
    write(
      "Cargo.toml",
      read("Cargo.toml").replace(/^(\[workspace\.package\]\nversion = ")[^"]*/m, (_, before) => before + version),
    );
    if (!changelogVersions().includes(version)) {
      const today = new Date().toISOString().slice(0, 10);
      write("CHANGELOG.md", read("CHANGELOG.md").replace(/^## Unreleased$/m, `## Unreleased\n\n## ${version} - ${today}`));
    }
  }
  compare(write);
  return [...new Set(changed)];
}
