// Compares this package in Chromium with code that uses `fetch` and `WebSocket` directly:
// `npm run bench -- browser [--write] [--profile] [WORKLOAD ...]`. Each run has a new browser. The runs of a workload in a round follow
// each other in random order, and are compared with each other, because other load on the machine changes. `--profile` prints where
// the time of the main thread goes, instead of measuring it.
import { cpus, loadavg } from "node:os";
import { argv } from "node:process";
import { median, quartiles, shuffled } from "../measure.mjs";
import { spread, writeChart, writeSection } from "../node/figures.mjs";
import { root } from "../node/peer.mjs";
import { startBench } from "./measure.mjs";
import { hottest } from "./profile.mjs";
import { workloads } from "./workloads.mjs";

const ROUNDS = Number(process.env.ORGO_BENCH_ROUNDS ?? 7);
const names = argv.slice(2).filter((name) => !name.startsWith("--"));
const selected = Object.entries(workloads()).filter(([name]) => names.length === 0 || names.some((part) => name.includes(part)));

/** Runs every variant of the selected workloads once per round. */
async function runRounds(bench) {
  const results = Object.fromEntries(
    selected.map(([name, { variants }]) => [name, Object.fromEntries(variants.map((variant) => [variant, []]))]),
  );
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, workload] of shuffled(selected)) {
      for (const variant of shuffled(workload.variants)) results[name][variant].push(await bench.measure(workload, variant));
    }
  }
  return results;
}

function summarize(results) {
  return selected.flatMap(([workload, { base, variants }]) =>
    variants.map((variant) => {
      const [own, reference] = [results[workload][variant], results[workload][base]];
      const ratios = (field) => quartiles(own.map((result, round) => result[field] / reference[round][field]));
      const time = (results, field) => median(results.map(({ [field]: time, operations }) => (time * 1000) / operations));
      const text = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));
      const describe = (results) => `${text(time(results, "cpu"))}/${text(time(results, "main"))} µs`;
      const lost = own.reduce((sum, { lost }) => sum + Math.max(lost, 0), 0);
      return {
        workload,
        variant,
        base,
        cpu: ratios("cpu"),
        main: ratios("main"),
        detail: describe(own),
        reference: describe(reference),
        lost,
      };
    }),
  );
}

function table(rows) {
  const lines = rows
    .filter(({ variant, base }) => variant !== base)
    .map(({ workload, variant, base, cpu, main, detail, reference }) => {
      return `| ${workload} | ${variant === "sdk" ? "this package" : variant} | ${base} | ${spread(main)} | ${spread(cpu)} | ${detail} | ${reference} |`;
    });
  return [
    `Chromium, medians of ${ROUNDS} rounds with quartiles:`,
    "",
    "| workload | code | compared with | CPU of the main thread | CPU of the renderer | this code | the other |",
    "|---|---|---|---|---|---|---|",
    ...lines,
    "",
  ].join("\n");
}

const bench = await startBench();
try {
  if (argv.includes("--profile")) {
    for (const [name, { variants }] of selected) {
      for (const variant of variants) {
        const { profile } = await bench.measure(workloads()[name], variant, { profile: true });
        console.log(`\n${name}, ${variant}: self time of the main thread`);
        console.table(hottest(profile));
      }
    }
  } else {
    const rows = summarize(await runRounds(bench));
    console.log(`${ROUNDS} rounds, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}. Ratios are medians with quartiles.`);
    console.table(
      rows.map(({ workload, variant, base, cpu, main, detail, lost }) => {
        return {
          workload,
          variant,
          base,
          "main / base": spread(main),
          "renderer / base": spread(cpu),
          "renderer/main per operation": detail,
          lost,
        };
      }),
    );
    if (argv.includes("--write")) {
      writeSection(root, "browser", table(rows));
      writeChart(
        root,
        "browser",
        rows.filter(({ variant }) => variant === "sdk"),
      );
    }
  }
} finally {
  await bench.stop();
}
