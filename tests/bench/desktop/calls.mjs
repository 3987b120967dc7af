// Measures the response times of calls.
import { median, quantile } from "../measure.mjs";

const FORMATS = ["png", "jpeg"];

async function time(rounds, prepare, action) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    await prepare(round);
    const began = performance.now();
    await action();
    times.push(performance.now() - began);
  }
  return times;
}

/** Measures screenshots of an unchanged screen, and screenshots after the pointer has moved. */
export async function timeScreenshots(computer, rounds) {
  const rows = [];
  for (const format of FORMATS) {
    const bytes = (await computer.screenshot(format)).length;
    const move = (round) => computer.call("click", { x: 500 + (round % 2) * 200, y: 300 });
    for (const [screen, prepare] of [
      ["unchanged", () => {}],
      ["changed", move],
    ]) {
      const times = await time(rounds, prepare, () => computer.screenshot(format));
      rows.push({
        screen,
        format,
        "median ms": Number(median(times).toFixed(2)),
        "p95 ms": Number(quantile(times, 0.95).toFixed(2)),
        bytes,
      });
    }
  }
  return rows;
}

/** Measures clicks from a single caller, and from several concurrent callers. */
export async function timeClicks(computer, count) {
  const rows = [];
  for (const callers of [1, 8]) {
    const began = performance.now();
    const calls = count / callers;
    const call = async () => {
      for (let n = 0; n < calls; n += 1) await computer.call("click", { x: n % 1280, y: 300 });
    };
    await Promise.all(Array.from({ length: callers }, call));
    const seconds = (performance.now() - began) / 1000;
    rows.push({ callers, "clicks a second": Math.round((calls * callers) / seconds) });
  }
  return rows;
}
