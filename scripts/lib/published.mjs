// Checks the packages that a release publishes: their files, manifests, types, licenses and READMEs.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { buildPaths, inspect } from "./inspect.mjs";
import { project } from "./manifest.mjs";
import { Failure, root } from "./step.mjs";
import { addonFile, packageName, TARGETS } from "./targets.mjs";

/** The expected files of each package with their sizes in kB. */
const CONTENTS = join(root, "scripts/contents.json");

/** A size in kB may differ from the expected size by a factor and a constant. The formats of addons have large differences. */
const TOLERANCE = { factor: 1.25, addonFactor: 2, kilobytes: 2 };

/** The files of the root folder that a package of each registry must contain. */
const REQUIRED = {
  npm: ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "THIRD-PARTY-NOTICES.txt", "package.json"],
  cargo: ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "Cargo.toml"],
};

/** The folder in the repository of each README, to which its relative links refer. */
const README_FOLDERS = { "orgo-core": "core", "orgo-playout": "core/playout", "orgo-screen": "core/screen" };

/**
 * Checks packed packages. Throws a `Failure` that lists all problems.
 *
 * @param {Record<string, string>} archives the path of each archive by the name of its package
 * @param {{ portable?: boolean, update?: boolean }} [options] `portable: false` permits addons that work only on machines like
 *   this one; `update`: write the list of expected files instead of comparing it
 */
export async function checkPublished(archives, { portable = true, update = false } = {}) {
  const problems = [];
  const contents = {};
  for (const [name, path] of Object.entries(archives)) {
    const unpacked = mkdtempSync(join(tmpdir(), "orgo-unpacked-"));
    try {
      execFileSync("tar", ["-xzf", path, "-C", unpacked, "--strip-components=1"]);
      const files = list(unpacked);
      contents[name] = files;
      const found = await check(name, path, unpacked, Object.keys(files), portable);
      problems.push(...found.map((problem) => `${name}: ${problem}`));
    } finally {
      rmSync(unpacked, { recursive: true, force: true });
    }
    const sum = Object.values(contents[name]).reduce((sum, size) => sum + size, 0);
    console.log(
      `  ${name}: ${Object.keys(contents[name]).length} files, ${kilobytes(readFileSync(path).length)} kB, unpacked ${kilobytes(sum)} kB`,
    );
  }
  if (update) writeContents(contents);
  else problems.push(...compareContents(contents));
  if (problems.length > 0) throw new Failure(`The packages cannot be published:\n  ${problems.join("\n  ")}`);
}

async function check(name, path, unpacked, files, portable) {
  const isCrate = path.endsWith(".crate");
  const missing = REQUIRED[isCrate ? "cargo" : "npm"].filter((file) => !files.includes(file));
  const problems = missing.map((file) => `${file} is missing`);
  for (const file of files) {
    problems.push(...buildPaths(readFileSync(join(unpacked, file))).map((found) => `${file} contains the path ${found}`));
  }
  const readme = readFileSync(join(unpacked, "README.md"), "utf8");
  problems.push(...brokenLinks(readme, README_FOLDERS[name]));
  if (isCrate) return problems;
  const target = TARGETS.find((target) => packageName(target) === name);
  problems.push(...(await checkManifest(path)));
  if (target === undefined) return [...problems, ...(await checkTypes(path))];
  const addon = inspect(join(unpacked, addonFile(target)), target, { portable });
  return [...problems, ...addon.problems.map((problem) => `${addonFile(target)}: ${problem}`)];
}

async function checkManifest(path) {
  const tarball = arrayBuffer(readFileSync(path));
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function checkTypes(path) {
  const tarball = createPackageFromTarballData(new Uint8Array(readFileSync(path)));
  const { types, problems } = await checkPackage(tarball);
  if (!types) return ["the package contains no types"];
  // The oldest resolution does not read `exports`, so it finds only the main entry point.
  const relevant = problems.filter(({ resolutionKind, entrypoint }) => resolutionKind !== "node10" || entrypoint === ".");
  return relevant.map((problem) => `types: ${JSON.stringify(problem)}`);
}

const arrayBuffer = ({ buffer, byteOffset, length }) => buffer.slice(byteOffset, byteOffset + length);

/** Returns the problems of the links in a README. npm cannot display relative links, so only crates may have them. */
function brokenLinks(text, folder) {
  const { repository } = project();
  const prose = text.replace(/^```.*?^```$/gms, "").replace(/`[^`\n]*`/g, "");
  const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => anchor(title));
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
  const works = (link) => {
    if (link.startsWith("#")) return anchors.includes(link.slice(1));
    if (/^https:\/\/github\.com\/[^/]+\/orgo-sdk/.test(link)) return link.startsWith(repository);
    if (link.startsWith("https://")) return URL.canParse(link);
    return folder !== undefined && existsSync(join(root, folder, link.split("#", 1)[0]));
  };
  return links.filter((link) => !works(link)).map((link) => `the link ${link} in README.md does not work`);
}

/** Returns the anchor that GitHub and npm create for a heading. */
const anchor = (title) =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

/** Returns the sizes of the files in a folder by their paths. */
function list(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const sizes = entries.map(({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path.slice(folder.length + 1), readFileSync(path).length];
  });
  return Object.fromEntries(sizes.sort());
}

const kilobytes = (bytes) => Math.round(bytes / 100) / 10;

/** All packages with addons have the same expected files. */
function expectedName(name, text) {
  const target = TARGETS.find((target) => packageName(target) === name);
  return target === undefined ? text : text.replaceAll(target.name, "PLATFORM");
}

function compareContents(contents) {
  const expected = JSON.parse(readFileSync(CONTENTS, "utf8"));
  const problems = [];
  for (const [name, files] of Object.entries(contents)) {
    const sizes = Object.fromEntries(Object.entries(files).map(([file, size]) => [expectedName(name, file), kilobytes(size)]));
    const wanted = expected[expectedName(name, name)] ?? {};
    for (const file of new Set([...Object.keys(wanted), ...Object.keys(sizes)])) {
      const [before, now] = [wanted[file], sizes[file]];
      if (now === undefined) problems.push(`${name}: - ${file} (${before} kB)`);
      else if (before === undefined) problems.push(`${name}: + ${file} (${now} kB)`);
      else if (!similar(before, now, file)) problems.push(`${name}: ${file} has ${now} kB instead of ${before} kB`);
    }
  }
  if (problems.length > 0) problems.push("if these changes are correct, run `npm run release:dry -- --update`");
  return problems;
}

function similar(before, now, file) {
  // A source file has no expected size.
  if (file.endsWith(".rs")) return true;
  const factor = file.endsWith(".node") ? TOLERANCE.addonFactor : TOLERANCE.factor;
  const [small, large] = [before, now].sort((a, b) => a - b);
  return large <= small * factor + TOLERANCE.kilobytes;
}

function writeContents(contents) {
  const expected = {};
  for (const [name, files] of Object.entries(contents)) {
    // The first addon is that of the most common platform.
    expected[expectedName(name, name)] ??= Object.fromEntries(
      Object.entries(files).map(([file, size]) => [expectedName(name, file), kilobytes(size)]),
    );
  }
  writeFileSync(CONTENTS, `${JSON.stringify(expected, null, 2)}\n`);
}
