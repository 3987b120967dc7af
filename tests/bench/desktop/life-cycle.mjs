// Measures how long a computer takes to start and stop, and how much memory it uses.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TestComputer } from "../../desktop/computer.mjs";
import { median, quantile } from "../measure.mjs";

/** The interval at which the status is polled, in milliseconds. It is much shorter than the measured times. */
const POLL_INTERVAL = 2;
/** The time to wait after the start of a program, in milliseconds. Some programs load more data after their start. */
const SETTLE_TIME = 5_000;

async function timeUntil(status, computer) {
  const began = performance.now();
  while ((await computer.show()).status !== status) await sleep(POLL_INTERVAL);
  return performance.now() - began;
}

/** Measures the time from a call until the computer has the new status, in milliseconds. */
export async function timeLifeCycle(wire, workspace, rounds) {
  const times = {
    ...{ "create to running": [], "create to a screenshot of the complete desktop": [] },
    ...{ "running to stopped": [], "start to running": [] },
  };
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    const { body } = await wire.call("POST", "/computers", { workspace_id: workspace, name: `life-${round}` });
    const computer = new TestComputer(wire, body);
    await timeUntil("running", computer);
    times["create to running"].push(performance.now() - began);
    // The call waits for the wallpaper and the panel.
    await computer.screenshot("png");
    times["create to a screenshot of the complete desktop"].push(performance.now() - began);
    for (const [call, status, what] of [
      ["stop", "stopped", "running to stopped"],
      ["start", "running", "start to running"],
    ]) {
      const began = performance.now();
      await computer.call(call, {});
      await timeUntil(status, computer);
      times[what].push(performance.now() - began);
    }
    await computer.delete();
  }
  return Object.entries(times).map(([what, values]) => ({
    what,
    "median ms": Math.round(median(values)),
    "p95 ms": Math.round(quantile(values, 0.95)),
  }));
}

/**
 * Measures the memory of one computer without open programs, and the increase by each open program, in MB. Counts shared
 * pages proportionally (PSS).
 */
export async function measureMemory(desktop, wire, workspace, count) {
  const own = new Set(desktop.processes());
  const computers = [];
  for (let n = 0; n < count; n += 1) computers.push(await TestComputer.start(wire, workspace, `memory-${n}`));
  await sleep(SETTLE_TIME);
  const sandboxes = () => sum(desktop.processes().filter((id) => !own.has(id)));
  const idle = sandboxes();
  const rows = [{ what: `a computer, one of ${count}`, MB: idle / count }];
  let before = idle;
  for (const [what, command] of [
    ["a terminal window", "xfce4-terminal"],
    ["Chromium with an empty page", "chromium about:blank"],
  ]) {
    await computers[0].bash(`setsid ${command} > /dev/null 2>&1 &`);
    await sleep(SETTLE_TIME);
    const now = sandboxes();
    rows.push({ what: `with ${what}`, MB: now - before });
    before = now;
  }
  rows.push({ what: `the server, with ${count} computers`, MB: sum([...own]) });
  for (const computer of computers) await computer.delete();
  return rows.map(({ what, MB }) => ({ what, MB: Number(MB.toFixed(1)) }));
}

function sum(processes) {
  return processes.reduce((sum, id) => sum + proportionalSize(id), 0);
}

function proportionalSize(id) {
  try {
    const [, kilobytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8")) ?? [0, 0];
    return Number(kilobytes) / 1024;
  } catch {
    return 0; // The process has ended.
  }
}
