// Compares this package in Node with other libraries: `npm run bench -- node [WORKLOAD ...]`. Each run is a separate process.
// The runs of a round are shuffled, and compared within the round, because other load on the machine changes over time.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { argv, execPath } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median, quantile } from "../measure.mjs";
import { workloads } from "./variants.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const ROUNDS = Number(process.env.ORGO_BENCH_ROUNDS ?? 7);
const NODE = process.env.ORGO_BENCH_NODE ?? execPath;
const run = promisify(execFile);

async function startPeer() {
  const peer = spawn(`${root}/target/release/orgo-bench-peer`, { stdio: ["pipe", "pipe", "inherit"] });
  const [port] = await once(createInterface(peer.stdout), "line");
  return { origin: `127.0.0.1:${port}`, stop: () => peer.stdin.end() };
}

function shuffled(list) {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}

const names = argv.slice(2);
const selected = Object.entries(workloads()).filter(([name]) => names.length === 0 || names.some((part) => name.includes(part)));
const runs = selected.flatMap(([name, { variants }]) => Object.keys(variants).map((variant) => ({ name, variant })));
const results = {};
const peer = await startPeer();
try {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name, variant } of shuffled(runs)) {
      const script = fileURLToPath(new URL("measure.mjs", import.meta.url));
      const { stdout } = await run(NODE, [script, name, variant, peer.origin], { timeout: 300_000 });
      results[name] ??= {};
      results[name][variant] ??= [];
      results[name][variant].push(JSON.parse(stdout));
    }
  }
} finally {
  peer.stop();
}

const rows = selected.flatMap(([workload, { base, variants }]) =>
  Object.keys(variants).map((variant) => {
    const own = results[workload][variant];
    const reference = results[workload][base];
    const ratio = (field) => own.map((result, round) => result[field] / reference[round][field]);
    const spread = (values) => `${median(values).toFixed(2)} [${quantile(values, 0.25).toFixed(2)}-${quantile(values, 0.75).toFixed(2)}]`;
    const middle = (field, digits = 1) =>
      own[0][field] === undefined ? "" : median(own.map((result) => result[field])).toFixed(digits);
    return {
      workload,
      variant,
      [`CPU / base`]: spread(ratio("cpu")),
      [`main / base`]: spread(ratio("main")),
      "CPU us/op": median(own.map(({ cpu, operations }) => (cpu * 1000) / operations)).toFixed(2),
      "main us/op": median(own.map(({ main, operations }) => (main * 1000) / operations)).toFixed(2),
      "RSS MB": middle("rss", 0),
      p50: middle("p50", 2),
      p99: middle("p99", 2),
      "calm p99": middle("calm99", 2),
      lost: median(own.map(({ lost }) => lost)),
    };
  }),
);
console.log(`${ROUNDS} rounds, ${cpus().length} cores, ${(await run(NODE, ["--version"])).stdout.trim()}`);
console.table(rows);
