// Summarizes a CPU profile of Chromium.

const SHOWN = 25;

/** Returns the functions with the most self time, as parts of the time in which the thread was not idle. */
export function hottest({ nodes, samples, timeDeltas }) {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber, columnNumber } }) => {
      const file = url.split("/").at(-1);
      return [id, `${functionName || "(anonymous)"}${file && ` ${file}:${lineNumber + 1}:${columnNumber + 1}`}`];
    }),
  );
  const times = new Map();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const name = names.get(id);
    if (name === "(idle)") continue;
    busy += timeDeltas[index];
    times.set(name, (times.get(name) ?? 0) + timeDeltas[index]);
  }
  return [...times]
    .sort(([, one], [, other]) => other - one)
    .slice(0, SHOWN)
    .map(([name, time]) => ({ function: name, "%": Number(((100 * time) / busy).toFixed(1)), ms: Math.round(time / 1000) }));
}
