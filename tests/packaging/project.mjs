// A user's project in a temporary folder, with the package installed from its packed file.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Packs the package, installs it in a new folder, and writes files into the folder. The folder is outside the
 * repository, so that the project cannot resolve modules of the repository.
 *
 * @param {Record<string, string>} files the contents of the files, by file name
 * @returns {{ folder: string, installed: string, remove(): void }} `installed` is the folder of the installed package
 */
export function createProject(files = {}) {
  const folder = mkdtempSync(join(tmpdir(), "orgo-packaging-"));
  const npm = (args, cwd) => execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  npm(["pack", "--silent", "--workspace", "npm", "--pack-destination", folder], root);
  const [tarball] = readdirSync(folder);
  const project = {
    folder,
    installed: join(folder, "node_modules/orgo-sdk"),
    remove: () => rmSync(folder, { recursive: true }),
  };
  write(project, { "package.json": '{ "name": "project", "private": true }', ...files });
  // The package has no dependencies, so npm works offline.
  npm(["install", "--offline", "--silent", "--no-audit", "--no-fund", `./${tarball}`], folder);
  return project;
}

/** Writes files into a project. */
export function write({ folder }, files) {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** Runs a script of a project in Node. Returns the parsed output of the script, which must be JSON. */
export function run({ folder }, script, env = {}) {
  const { ORGO_BINDING, ...inherited } = process.env;
  const text = execFileSync(process.execPath, [script], { cwd: folder, encoding: "utf8", env: { ...inherited, ...env } });
  return JSON.parse(text);
}

/** Copies the installed package of a project under another name, without the `excluded` files. */
export function withoutFiles(project, name, excluded) {
  const copy = join(project.folder, "node_modules", name);
  cpSync(project.installed, copy, { recursive: true });
  for (const path of excluded) rmSync(join(copy, path), { recursive: true });
}
