// A user's project in a temporary folder, with the package installed from its packed file.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack } from "../../scripts/lib/pack.mjs";
import { until, within } from "../support/wait.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The folder of the installed dependencies of projects, by the content of their `package.json`. */
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "orgo-sdk/projects");
const LIFELINE = join(root, "scripts/lib/lifeline.mjs");
/** Prevents requests for usage statistics, and questions. */
const QUIET = {
  CI: "1",
  NO_COLOR: "1",
  ASTRO_TELEMETRY_DISABLED: "1",
  NEXT_TELEMETRY_DISABLED: "1",
  NUXT_TELEMETRY_DISABLED: "1",
};

const npm = (args, cwd) => execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** Packs the packages once for each process. Returns the paths of the tarballs. */
function packed() {
  if (tarballs === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "orgo-packed-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    tarballs = Object.values(pack(folder));
  }
  return tarballs;
}
let tarballs;

/**
 * Packs the package, installs it in a new folder, and writes files into the folder. The folder is outside the
 * repository, so that the project cannot resolve modules of the repository.
 *
 * @param {Record<string, string>} files the contents of the files, by file name
 * @returns {{ folder: string, installed: string, remove(): void }} `installed` is the folder of the installed package
 */
export function createProject(files = {}) {
  const project = newProject();
  write(project, { "package.json": '{ "name": "project", "private": true }', ...files });
  // The package has no dependencies, so npm works offline.
  npm(["install", "--offline", "--silent", "--no-audit", "--no-fund", ...packed()], project.folder);
  return project;
}

/**
 * Copies a project from `projects/` into a new folder outside the repository, with its dependencies and the packed
 * package. The dependencies are installed once, and then kept in the user's cache. If the `package.json` of the project has the
 * field `filesOf`, the project also has the files of the project with this name.
 *
 * @param {string} name the name of the folder in `projects/`
 * @returns {{ folder: string, installed: string, versions: Record<string, string>, remove(): void }} `installed` is the
 *   folder of the installed package; `versions` are the versions of the project's dependencies
 */
export function openProject(name) {
  const source = (name) => fileURLToPath(new URL(`projects/${name}`, import.meta.url));
  const { filesOf, ...manifest } = JSON.parse(readFileSync(join(source(name), "package.json"), "utf8"));
  const modules = installDependencies(manifest);
  const project = newProject();
  try {
    for (const from of [filesOf ?? name, name]) cpSync(source(from), project.folder, { recursive: true });
    copyModules(modules, join(project.folder, "node_modules"));
    const own = {};
    for (const tarball of packed()) {
      const { name, version } = unpack(tarball, join(project.folder, "node_modules"));
      // Platform packages are optional dependencies of the package, so the project does not name them.
      if (name === "orgo-sdk") own[name] = version;
    }
    const dependencies = { ...manifest.dependencies, ...own };
    write(project, { "package.json": JSON.stringify({ ...manifest, dependencies }, null, 2) });
    return { ...project, versions: manifest.dependencies };
  } catch (error) {
    project.remove();
    throw error;
  }
}

/** Copies the cached `node_modules` of a project. */
function copyModules(from, to) {
  // Hard links make the copy fast. Tools write new files into this folder, but do not change existing ones.
  const onSameDevice = statSync(from).dev === statSync(dirname(to)).dev;
  execFileSync("cp", [onSameDevice ? "-al" : "-a", from, to]);
}

/** Returns the cached `node_modules` of a project. Installs it first if it does not exist. */
function installDependencies(manifest) {
  const { scripts, ...content } = manifest;
  const [major] = process.versions.node.split(".");
  const key = createHash("sha256")
    .update(JSON.stringify({ content, major, platform: process.platform, arch: process.arch }))
    .digest("hex")
    .slice(0, 16);
  const folder = join(CACHE, `${manifest.name}-${key}`);
  const modules = join(folder, "node_modules");
  if (existsSync(modules)) return modules;
  console.log(`installing the dependencies of the project ${manifest.name} (only once)`);
  mkdirSync(CACHE, { recursive: true });
  const partial = mkdtempSync(join(CACHE, "partial-"));
  try {
    // The folder is renamed when it is complete, so that a process that ends early leaves no incomplete cache.
    writeFileSync(join(partial, "package.json"), JSON.stringify(content));
    npm(["install", "--loglevel=error", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"], partial);
    // npm removes an empty folder.
    mkdirSync(join(partial, "node_modules"), { recursive: true });
    renameSync(partial, folder);
  } catch (error) {
    // Another process has installed the same dependencies at the same time.
    if (!existsSync(modules)) throw error;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return modules;
}

/** Installs a tarball as npm does for a package without dependencies and install scripts. Returns its manifest. */
function unpack(tarball, modules) {
  const manifest = readManifest(tarball);
  const folder = join(modules, manifest.name);
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
  return manifest;
}

/** Returns the manifest of a packed package. */
export function readManifest(tarball) {
  return JSON.parse(execFileSync("tar", ["-xOzf", tarball, "package/package.json"], { encoding: "utf8" }));
}

function newProject() {
  const folder = mkdtempSync(join(tmpdir(), "orgo-packaging-"));
  return {
    folder,
    installed: join(folder, "node_modules/orgo-sdk"),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/**
 * Starts a program of a project, such as a development server. The program and its child processes end at the latest when
 * this process ends.
 *
 * @param {string} cwd
 * @param {string[]} command the program, which may be one of the project's dependencies, and its arguments
 * @param {Record<string, string>} [env] additional variables
 */
export function start(cwd, command, env = {}) {
  const { ORGO_BINDING, NODE_TEST_CONTEXT, ...inherited } = process.env;
  const child = spawn(process.execPath, [LIFELINE, ...command], {
    cwd,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...inherited, PATH: `${join(cwd, "node_modules/.bin")}${delimiter}${inherited.PATH}`, ...QUIET, ...env },
  });
  child.stdin.on("error", () => {});
  const program = { log: "", ended: new Promise((resolve) => child.once("close", (code, signal) => resolve(signal ?? code))) };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (program.log += text));
  return Object.assign(program, {
    /** Waits until the server responds to requests. */
    async respond(url) {
      const ended = program.ended.then((how) => {
        throw new Error(`${command.join(" ")} ended with ${how}\n${program.log}`);
      });
      const responds = () => fetch(url, { redirect: "manual", signal: AbortSignal.timeout(60_000) }).catch(() => undefined);
      await Promise.race([until(url, responds, 90_000), ended]).catch((error) => {
        throw new Error(`${error.message}\n${program.log}`);
      });
      ended.catch(() => {});
    },
    async stop() {
      child.stdin.end();
      await within(`${command.join(" ")} to end`, program.ended);
    },
  });
}

/** Runs a program of a project until it ends. Throws an error that contains its output if it fails. */
export async function execute(cwd, command, env) {
  const program = start(cwd, command, env);
  const how = await program.ended;
  if (how !== 0) throw new Error(`${command.join(" ")} ended with ${how}\n${program.log}`);
  return program.log;
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
