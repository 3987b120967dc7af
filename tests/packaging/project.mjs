// A user's project in a folder of its own, with the package installed from the file that would be published.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Packs the package, installs it in a new folder, and writes files beside it. Node ends where the folder does: nothing of
 * this repository can be found from there.
 *
 * @param {Record<string, string>} files their contents by their names
 * @returns {{ folder: string, installed: string, remove(): void }} the project, and the package in it
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
  // It has no dependencies, so nothing has to be fetched.
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

/** Runs one of a project's scripts in Node, and returns what it printed, which has to be JSON. */
export function run({ folder }, script, env = {}) {
  const { ORGO_BINDING, ...inherited } = process.env;
  const text = execFileSync(process.execPath, [script], { cwd: folder, encoding: "utf8", env: { ...inherited, ...env } });
  return JSON.parse(text);
}

/** A copy of a project's installed package that lacks some of its files. */
export function withoutFiles(project, name, lacking) {
  const copy = join(project.folder, "node_modules", name);
  cpSync(project.installed, copy, { recursive: true });
  for (const path of lacking) rmSync(join(copy, path), { recursive: true });
}
