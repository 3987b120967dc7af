// Compares the live screen of this package in Chromium with an unchanged noVNC:
// `npm run bench -- screen [--write] [WORKLOAD ...]`. Each run has a new browser. The workloads of a round and the variants of a
// workload are shuffled, and compared within the round, because other load on the machine changes.
import { cpus, loadavg } from "node:os";
import { argv } from "node:process";
import { median, quartiles, shuffled } from "../measure.mjs";
import { spread, writeChart, writeSection } from "../node/figures.mjs";
import { root } from "../node/peer.mjs";
import { startBench } from "./measure.mjs";
import { CANVAS, VARIANTS, workloads } from "./workloads.mjs";

const ROUNDS = Number(process.env.ORGO_BENCH_ROUNDS ?? 5);
const names = argv.slice(2).filter((name) => !name.startsWith("--"));
const selected = Object.entries(workloads()).filter(([name]) => names.length === 0 || names.some((part) => name.includes(part)));

/** Measures the selected workloads once per round. Returns the results of each variant of each workload. */
async function runRounds() {
  const variants = [...VARIANTS, CANVAS];
  const results = Object.fromEntries(
    selected.map(([name]) => [name, Object.fromEntries(variants.map((variant) => [variant, []]))]),
  );
  const bench = await startBench();
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, workload] of shuffled(selected)) {
        const measured = await bench.measure(workload);
        for (const [variant, result] of Object.entries(measured)) results[name][variant].push(result);
        console.error(`${round + 1}/${ROUNDS} ${name}, load ${loadavg()[0].toFixed(1)}`);
      }
    }
  } finally {
    await bench.stop();
  }
  return results;
}

const number = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));

/** Returns functions that describe a workload: its median values, and the ratios of this package to noVNC with their quartiles. */
function describe({ sdk, noVNC, [CANVAS]: canvas }) {
  const middle = (results, field) => median(results.map(({ [field]: value }) => value));
  const ratios = (field) => quartiles(sdk.map(({ [field]: value }, round) => value / noVNC[round][field]));
  return {
    own: (field) => middle(sdk, field),
    other: (field) => middle(noVNC, field),
    canvas: (field) => number(middle(canvas, field)),
    ratios,
    /** Both values of each field, such as `5.1 / 640`. */
    both: (...fields) =>
      [sdk, noVNC].map((results) => fields.map((field) => number(middle(results, field))).join(", ")).join(" / "),
    lost: [...sdk, ...noVNC].reduce((sum, { lost = 0 }) => sum + lost, 0),
  };
}

/** The tables by kind of workload: their columns, and the goals of each workload as [goal, value, whether it is met]. */
const KINDS = {
  live: {
    columns: [
      "frames per second",
      "main thread, ms/s",
      "ratio",
      "bare canvas, ms/s",
      "its CPU time, ms/s",
      "renderer and GPU process, ms per frame",
      "ratio",
    ],
    row: ({ both, canvas, ratios }) => [
      both("fps"),
      both("main"),
      spread(ratios("main")),
      canvas("main"),
      both("mainCpu"),
      both("cpu"),
      spread(ratios("cpu")),
    ],
    goals: (name, { own, ratios }) => [
      ["main thread <= 10 ms/s", own("main"), own("main") <= 10],
      ["main thread <= 0.03 of noVNC", ratios("main")[1], ratios("main")[1] <= 0.03],
      ["CPU per frame <= noVNC", ratios("cpu")[1], ratios("cpu")[1] <= 1],
      // The ratio of whole frames in a scene that both show completely varies around 1.
      ["frames per second >= noVNC", ratios("fps")[1], ratios("fps")[1] >= 0.98],
      ...(name === "scroll, 1920x1080" ? [["frames per second >= 45", own("fps"), own("fps") >= 45]] : []),
    ],
  },
  flood: {
    columns: ["time to the end, ms", "ratio", "main thread, ms", "renderer and GPU process, ms", "drawn frames", "updates, MB"],
    row: ({ both, own, ratios }) => [
      both("wall"),
      spread(ratios("wall")),
      both("main"),
      both("cpu"),
      both("frames"),
      `${own("updates")}, ${number(own("bytes") / 1e6)}`,
    ],
    goals: (name, { ratios }) =>
      name.includes("video")
        ? [["at least 1.5 times as fast as noVNC", 1 / ratios("wall")[1], ratios("wall")[1] <= 1 / 1.5]]
        : [],
  },
  latency: {
    columns: ["p50, ms", "p95, ms", "p50 in a blocked page, ms", "p95 in a blocked page, ms", "lost"],
    row: ({ both, lost }) => [both("free50"), both("free95"), both("blocked50"), both("blocked95"), lost],
    goals: (_, { own }) => [
      ["95th percentile <= 20 ms", own("free95"), own("free95") <= 20],
      ["95th percentile in a blocked page <= 20 ms", own("blocked95"), own("blocked95") <= 20],
    ],
  },
};

function tables(described) {
  return Object.entries(KINDS)
    .map(([kind, { columns, row }]) => {
      const rows = described.filter(({ workload }) => workload.kind === kind);
      if (rows.length === 0) return "";
      return [
        `| ${["workload", ...columns].join(" | ")} |`,
        `|${"---|".repeat(columns.length + 1)}`,
        ...rows.map(({ name, values }) => `| ${[name, ...row(values)].join(" | ")} |`),
        "",
      ].join("\n");
    })
    .filter((table) => table !== "")
    .join("\n");
}

const began = performance.now();
const loads = [loadavg()[0]];
const results = await runRounds();
loads.push(loadavg()[0]);
const described = selected.map(([name, workload]) => ({ name, workload, values: describe(results[name]) }));
const text = [
  `Chromium, rounds: ${ROUNDS}, medians (ratios with quartiles), this package / noVNC. ${cpus().length} cores, load of the machine ` +
    `before and after the run: ${loads.map((load) => load.toFixed(1)).join(", ")}.`,
  "",
  tables(described),
].join("\n");
console.log(text);
const goals = described.flatMap(({ name, workload, values }) =>
  KINDS[workload.kind].goals(name, values).map(([goal, value, met]) => ({ workload: name, goal, value: number(value), met })),
);
console.table(goals);
console.log(`${((performance.now() - began) / 1000).toFixed(0)} s`);
if (argv.includes("--write")) {
  writeSection(root, "screen", text);
  const charted = described.filter(({ workload }) => workload.kind === "live");
  const rows = charted.map(({ name, values: { ratios } }) => ({
    ...{ workload: name, base: "noVNC" },
    ...{ cpu: ratios("cpu"), main: ratios("main") },
  }));
  writeChart(root, "screen", rows, ["renderer and GPU process, per frame", "main thread"]);
}
