// The CPU time of processes. The kernel counts the time of each thread.
import { readdirSync, readFileSync } from "node:fs";

/** Returns the CPU time of processes, in milliseconds. */
export const cpuTime = (processes) =>
  processes
    .flatMap((id) => readdirSync(`/proc/${id}/task`).map((thread) => timeOf(id, thread)))
    .reduce((sum, time) => sum + time, 0);

/** Returns the CPU time of the main threads of processes, in milliseconds. */
export const mainThreadTime = (processes) => processes.map((id) => timeOf(id, id)).reduce((sum, time) => sum + time, 0);

const timeOf = (process, thread) => Number(readFileSync(`/proc/${process}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6;
