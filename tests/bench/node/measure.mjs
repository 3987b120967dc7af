// Runs one variant of one workload in this process, and prints its measurement as JSON.
import { readFileSync, writeFileSync } from "node:fs";
import { argv, pid } from "node:process";
import { quantile } from "../measure.mjs";
import { workloads } from "./variants.mjs";

const [, , workload, variant, origin, quick] = argv;

/** Returns the CPU time of the process and of its main thread, in milliseconds. The kernel counts both. */
function cpu() {
  const { user, system } = process.cpuUsage();
  const [main] = readFileSync(`/proc/self/task/${pid}/schedstat`, "utf8").split(" ");
  return { process: (user + system) / 1000, main: Number(main) / 1e6 };
}

/** Returns the resident memory of this process, or its peak since the measurement started (`VmHWM`), in MB. */
const memory = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;

let before, idle;
const meter = {
  start() {
    // Resets the peak.
    writeFileSync("/proc/self/clear_refs", "5");
    idle = memory("VmRSS");
    before = { ...cpu(), time: performance.now() };
  },
};
const { operations, times, calm, lost = 0 } = await workloads(quick === "quick")[workload].variants[variant]({ origin }, meter);
const after = { ...cpu(), time: performance.now() };
const result = {
  operations,
  lost,
  cpu: after.process - before.process,
  main: after.main - before.main,
  wall: after.time - before.time,
  rss: memory("VmHWM"),
  growth: memory("VmHWM") - idle,
  ...(times && { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }),
  ...(calm && { calm50: quantile(calm, 0.5), calm99: quantile(calm, 0.99) }),
};
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
