// How fast calls are answered.
import { median, quantile } from "../measure.mjs";

const KINDS = ["png", "jpeg"];

async function time(rounds, prepare, work) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    await prepare(round);
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return times;
}

/** Rows of screenshots: of a screen that has not changed since the last one, and of one where the pointer has moved. */
export async function timeScreenshots(computer, rounds) {
  const rows = [];
  for (const kind of KINDS) {
    const bytes = (await computer.screenshot(kind)).length;
    const move = (round) => computer.act("click", { x: 500 + (round % 2) * 200, y: 300 });
    for (const [screen, prepare] of [
      ["unchanged", () => {}],
      ["changed", move],
    ]) {
      const times = await time(rounds, prepare, () => computer.screenshot(kind));
      rows.push({
        screen,
        kind,
        "median ms": Number(median(times).toFixed(2)),
        "p95 ms": Number(quantile(times, 0.95).toFixed(2)),
        bytes,
      });
    }
  }
  return rows;
}

/** Rows of clicks: one after another, and from several callers at once. */
export async function timeClicks(computer, count) {
  const rows = [];
  for (const callers of [1, 8]) {
    const began = performance.now();
    const calls = count / callers;
    const call = async () => {
      for (let n = 0; n < calls; n += 1) await computer.act("click", { x: n % 1280, y: 300 });
    };
    await Promise.all(Array.from({ length: callers }, call));
    const seconds = (performance.now() - began) / 1000;
    rows.push({ callers, "clicks a second": Math.round((calls * callers) / seconds) });
  }
  return rows;
}
