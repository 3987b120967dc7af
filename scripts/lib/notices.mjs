// Collects the licenses of the third-party code in a package: of the linked crates, of the Rust standard library, and of bundled
// npm packages.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure, root } from "./step.mjs";

/**
 * @typedef {object} Component
 * @property {string} name with its version
 * @property {string} license an SPDX expression
 * @property {string[]} texts the license texts that a notice must contain
 */

/**
 * @typedef {object} Source a component with all its license files
 * @property {string} name with its version
 * @property {string} license an SPDX expression
 * @property {string[]} authors
 * @property {[name: string, text: string][]} files its license files
 */

/** The names of license files. Some crates have licenses of code that they contain, such as `LICENSE-THIRD-PARTY`. */
const LICENSE_FILE = /^(?:licen[cs]e|copying|copyright|notice)/i;

/**
 * Returns the text of a notice file: each license that must be included, with the names of the components that have it.
 *
 * Code from the C library and the compiler runtime is not listed: their licenses do not require it for compiled programs.
 *
 * @param {string[]} crates the crates of this workspace that are compiled into the binary
 * @param {string} triple the target of the binary
 * @param {string[]} [packages] the npm packages whose code is bundled with the binary
 */
export function notices(crates, triple, packages = []) {
  /** @type {Map<string, Component[]>} */
  const byText = new Map();
  const components = [...packages.map(bundled), ...linked(crates, triple)].map(withTexts);
  for (const component of [...components, ...standardLibrary()]) {
    for (const text of component.texts) byText.set(text, [...(byText.get(text) ?? []), component]);
  }
  const sections = [...byText].map(
    ([text, components]) => `${components.map(({ name, license }) => `${name} (${license})`).join("\n")}\n\n${text}\n`,
  );
  const title = "This package contains compiled code of the following components. Each list is followed by its license.\n";
  return [title, ...sections].join(`\n${"-".repeat(80)}\n\n`);
}

/** Crates of the standard library that are compiled only for platforms for which there is no addon. */
const OTHER_PLATFORMS = /^(?:fortanix-sgx-abi|hermit-abi|moto-rt|r-efi|r-efi-alloc|unwinding|vex-sdk|wasi|wit-bindgen) /;

/** Returns a package in `node_modules`. */
function bundled(name) {
  const folder = join(root, "node_modules", name);
  const { version, license, author } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { name: `${name} ${version}`, license, authors: [author?.name ?? author], files: licenseFiles(folder) };
}

/** Returns the crates of other authors that are linked into a binary. */
function linked(crates, triple) {
  const cargo = (...args) => execFileSync("cargo", args, { cwd: root, encoding: "utf8", maxBuffer: 256 << 20 });
  const shown = ["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}", "--no-dedupe"];
  const tree = cargo("tree", "--locked", "--target", triple, ...shown, ...crates.flatMap((name) => ["--package", name]));
  const names = new Set(tree.split("\n").map((line) => line.split(" ", 2).join(" ")));
  const { packages } = JSON.parse(cargo("metadata", "--locked", "--format-version=1", "--filter-platform", triple));
  return packages
    .filter(({ name, version, source }) => source !== null && names.has(`${name} v${version}`))
    .map(({ name, version, license, authors, manifest_path }) => ({
      name: `${name} ${version}`,
      license,
      authors,
      files: licenseFiles(dirname(manifest_path)),
    }));
}

const licenseFiles = (folder) =>
  readdirSync(folder)
    .filter((file) => LICENSE_FILE.test(file))
    .sort()
    .map((file) => [file, readFileSync(join(folder, file), "utf8")]);

/**
 * The components of the standard library of one version of Rust, in the format `{ rust: string, components: Component[] }`. Some
 * installations of Rust lack the list of the toolchain, because it is a part of the documentation.
 */
const RECORD = join(root, "scripts/lib/standard-library.json");

const rustc = (...args) => execFileSync("rustc", args, { cwd: root, encoding: "utf8" }).trim();
/** Returns the path of the list of the toolchain. */
const listOfToolchain = () => join(rustc("--print", "sysroot"), "share/doc/rust/COPYRIGHT-library.html");

/** Returns the standard library and the crates in it. */
function standardLibrary() {
  const list = listOfToolchain();
  if (existsSync(list)) return readList(list);
  const { rust, components } = recordedLibrary();
  if (rust === rustc("--version")) return components;
  throw new Failure(`${list} is missing, which lists the licenses of the standard library: install the component rustc again`);
}

export const recordedLibrary = () => JSON.parse(readFileSync(RECORD, "utf8"));

/** Returns a new record of the toolchain's list, or `undefined` if the toolchain has no list. */
export function readLibrary() {
  const list = listOfToolchain();
  return existsSync(list) ? { rust: rustc("--version"), components: readList(list) } : undefined;
}

/** Writes the record of the toolchain's list. */
export function recordLibrary() {
  const library = readLibrary();
  if (library !== undefined) writeFileSync(RECORD, `${JSON.stringify(library, null, 2)}\n`);
}

/** Returns the components in the list of a toolchain. */
function readList(list) {
  const [, ...sections] = readFileSync(list, "utf8").split("<h3>📦 ");
  if (sections.length === 0) throw new Failure(`${list} has an unknown format`);
  const crates = sections.map((html) => {
    const field = (name) =>
      decodeEntities(new RegExp(`<b>${name}:</b>(.*?)</p>`, "s").exec(html)?.[1].replace(/<[^>]*>/g, "") ?? "");
    const files = [...html.matchAll(/<code>([^<]*)<\/code><\/summary>\s*<pre>(.*?)<\/pre>/gs)];
    return {
      name: html.slice(0, html.indexOf("<")).replace(/-(?=\d)/, " "),
      license: field("License").trim(),
      authors: [field("Authors").trim()],
      files: files.map(([, name, text]) => [name, decodeEntities(text)]),
    };
  });
  const authors = ["The Rust Project Developers (https://thanks.rust-lang.org)"];
  const library = { name: "Rust standard library", license: "MIT OR Apache-2.0", authors, files: [] };
  return [library, ...crates.filter(({ name }) => !OTHER_PLATFORMS.test(name))].map(withTexts);
}

/** @type {(source: Source) => Component} */
const withTexts = (source) => ({ name: source.name, license: source.license, texts: required(source) });

/**
 * Returns the license texts of a component that a notice must contain: only the MIT license if the component permits this
 * choice, and otherwise all.
 */
function required({ name, license, authors, files }) {
  const choices = license.replaceAll("/", " OR ").split(/\s+OR\s+/);
  const canUseMit = choices.includes("MIT");
  // Files with other names contain licenses of code that the component has adopted.
  const others = /^(?:licen[cs]e-(?:apache|isc|zlib|bsd|unlicense)|copying$|unlicense)/i;
  const mit = files.filter(([file]) => /^licen[cs]e-mit/i.test(file));
  const chosen = !canUseMit ? files : mit.length > 0 ? files.filter(([file]) => !others.test(file)) : files.slice(0, 1);
  if (chosen.length > 0) return chosen.map(([, text]) => normalize(text));
  if (canUseMit) return [normalize(mitLicense(authors))];
  throw new Failure(`${name} (${license}) contains no license file: its license must be added by hand`);
}

/** Returns the MIT license for a component without a license file. */
function mitLicense(authors) {
  const own = readFileSync(join(root, "LICENSE-MIT"), "utf8");
  const text = own.replace(/^Copyright.*$/m, `Copyright (c) ${authors.join(", ") || "the authors"}`);
  if (text === own) throw new Failure("LICENSE-MIT contains no line that begins with Copyright");
  return text;
}

/** Removes differences between equal licenses that have no meaning. */
const normalize = (text) =>
  text
    .replaceAll("\r", "")
    .replace(/[ \t]+$/gm, "")
    .trim();

const decodeEntities = (html) =>
  html.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))).replaceAll("&amp;", "&");
