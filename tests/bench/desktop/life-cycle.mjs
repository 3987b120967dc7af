// How long a computer takes to be there, and what it costs.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TestComputer } from "../../desktop/computer.mjs";
import { median, quantile } from "../measure.mjs";

/** Finer than what is measured, and rare enough not to slow it. */
const LOOK = 2;
/** For programs that load what they need after their start. */
const SETTLED = 5_000;

async function timeUntil(status, computer) {
  const began = performance.now();
  while ((await computer.show()).status !== status) await sleep(LOOK);
  return performance.now() - began;
}

/** Rows of the times from a call to the status that it leads to, in milliseconds. */
export async function timeLife(wire, workspace, rounds) {
  const times = {
    ...{ "create to running": [], "create to a picture of its desktop": [] },
    ...{ "running to stopped": [], "start to running": [] },
  };
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    const { body } = await wire.call("POST", "/computers", { workspace_id: workspace, name: `life-${round}` });
    const computer = new TestComputer(wire, body);
    await timeUntil("running", computer);
    times["create to running"].push(performance.now() - began);
    // It waits for the wallpaper and the panel.
    await computer.screenshot("png");
    times["create to a picture of its desktop"].push(performance.now() - began);
    for (const [call, status, what] of [
      ["stop", "stopped", "running to stopped"],
      ["start", "running", "start to running"],
    ]) {
      const began = performance.now();
      await computer.act(call, {});
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
 * Rows of the memory of one computer, in MB: with nothing open, and what a program adds. Pages that several processes
 * share count in parts (PSS).
 */
export async function weigh(desktop, wire, workspace, count) {
  const own = new Set(desktop.processes());
  const computers = [];
  for (let n = 0; n < count; n += 1) computers.push(await TestComputer.start(wire, workspace, `weight-${n}`));
  await sleep(SETTLED);
  const boxes = () => sum(desktop.processes().filter((id) => !own.has(id)));
  const idle = boxes();
  const rows = [{ what: `a computer, one of ${count}`, MB: idle / count }];
  let before = idle;
  for (const [what, command] of [
    ["a terminal window", "xfce4-terminal"],
    ["Chromium with an empty page", "chromium about:blank"],
  ]) {
    await computers[0].bash(`setsid ${command} > /dev/null 2>&1 &`);
    await sleep(SETTLED);
    const now = boxes();
    rows.push({ what: `${what} in it`, MB: now - before });
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
    return 0; // It ended meanwhile.
  }
}
