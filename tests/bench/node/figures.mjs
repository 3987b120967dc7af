// Writes the results of benchmarks into docs/figures.md, as tables and charts.
import { readFileSync, writeFileSync } from "node:fs";

const END = "<!-- End of the written lines. -->";

/** @param {{ workload: string, variant: string, base: string, cpu: number[], main: number[], lost: number }[]} rows */
export function writeFigures(root, runtimes) {
  writeSection(root, "node", tables(runtimes));
  writeChart(
    root,
    "node",
    runtimes[0].rows.filter(({ variant }) => variant === "sdk"),
  );
}

/** Replaces the written lines of a benchmark. */
export function writeSection(root, name, lines) {
  const path = `${root}/docs/figures.md`;
  const text = readFileSync(path, "utf8");
  const marker = `<!-- The next lines are written by \`npm run bench -- ${name} --write\`. -->`;
  const start = text.indexOf(marker);
  const end = text.indexOf(END, start);
  if (start < 0 || end < start) throw new Error(`${path} does not contain the lines that mark the results`);
  writeFileSync(path, `${text.slice(0, start)}${marker}\n\n${lines}\n${text.slice(end)}`);
}

/**
 * Writes the chart of a benchmark. Each row has the ratios `cpu` and `main`, by default of the CPU time of a process and of its main
 * thread.
 */
export function writeChart(root, name, rows, labels = ["process", "main thread"]) {
  writeFileSync(`${root}/docs/${name}-cpu.svg`, chart(rows, labels));
}

/** Describes a median with its quartiles. */
export const spread = ([low, middle, high]) => `${middle.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;

/** Describes the machine of a run. */
export const describeMachine = ({ cores, load: [before, after] }) =>
  `${cores} cores, load average ${before.toFixed(1)} before the run and ${after.toFixed(1)} after it.`;

/** Lists the workloads in which this package needs more CPU time than the other library. */
function losses(rows) {
  const list = (field) =>
    rows
      .filter((row) => row[field][1] > 1)
      .map((row) => `${row.workload} (${row[field][1].toFixed(2)})`)
      .join(", ") || "none";
  return `Workloads with a median above 1: ${list("cpu")} for the process, ${list("main")} for the main thread.`;
}

function tables(runtimes) {
  return runtimes
    .map(({ version, rounds, machine, rows: all }) => {
      const rows = all.filter(({ variant }) => variant === "sdk");
      const lines = rows.map(({ workload, base, cpu, main, detail, reference }) => {
        return `| ${workload} | ${base} | ${spread(cpu)} | ${spread(main)} | ${detail} | ${reference} |`;
      });
      return [
        `Node ${version.replace("v", "")}, medians of ${rounds} rounds with quartiles. ${describeMachine(machine)}`,
        "",
        "| workload | compared with | CPU of the process | CPU of the main thread | this package | the other |",
        "|---|---|---|---|---|---|",
        ...lines,
        "",
        losses(rows),
        "",
      ].join("\n");
    })
    .join("\n");
}

/** Draws both ratios of each row. The line is at 1, the other library. */
function chart(rows, [cpuLabel, mainLabel]) {
  const [left, unit, height] = [290, 260, 34];
  const width = left + unit * 1.6;
  const second = left + 80 + Math.max(0, cpuLabel.length - 8) * 7;
  const bar = (y, value, color) =>
    `<rect x="${left}" y="${y}" width="${Math.round(Math.min(value, 1.5) * unit)}" height="11" fill="${color}"/>` +
    `<text x="${left + Math.round(Math.min(value, 1.5) * unit) + 6}" y="${y + 10}">${value.toFixed(2)}</text>`;
  const bars = rows.map(({ workload, base, cpu, main }, index) => {
    const y = 40 + index * height;
    return `<text x="${left - 8}" y="${y + 16}" text-anchor="end">${workload} / ${base}</text>${bar(y, cpu[1], "#4a7bd0")}${bar(y + 13, main[1], "#e0913a")}`;
  });
  const bottom = 40 + rows.length * height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${bottom + 10}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<rect x="${left}" y="10" width="11" height="11" fill="#4a7bd0"/><text x="${left + 16}" y="20">${cpuLabel}</text>`,
    `<rect x="${second}" y="10" width="11" height="11" fill="#e0913a"/><text x="${second + 16}" y="20">${mainLabel}</text>`,
    `<line x1="${left + unit}" y1="30" x2="${left + unit}" y2="${bottom}" stroke="#888"/>`,
    ...bars,
    "</svg>",
    "",
  ].join("\n");
}
