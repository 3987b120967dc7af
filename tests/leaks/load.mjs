// The load of the leak tests, in Node and in a page: many calls, and many channels that are opened and closed.

/** The number of parts into which each load is divided. The memory is measured after each part. */
const PARTS = 20;
/** The kinds of load. */
export const KINDS = ["calls", "terminal", "audio", "events"];
/** A long timeout, because the tests must also pass on a slow or suspended machine. */
const LIMIT = { timeout: 3_600_000 };
/** The number of concurrent calls or channels. With more, Chromium deliberately delays the opening of sockets. */
const CONCURRENCY = 4;

/**
 * @param {typeof import("orgo-sdk")} sdk
 * @param {number} port the port of the server
 * @returns {Record<"calls" | "terminal" | "audio" | "events", (count: number) => Promise<void>>} for each kind of load,
 *   a function that repeats it `count` times
 */
export function prepare(sdk, port) {
  const baseUrl = `http://127.0.0.1:${port}/api`;
  const orgo = new sdk.Orgo({ apiKey: "k", baseUrl, dangerouslyAllowBrowser: true, ...LIMIT });
  const computer = orgo.computer("c");
  const connection = { version: 1, computer_id: "c", connection_url: `http://127.0.0.1:${port}`, password: "p" };
  const connected = sdk.Orgo.connect(connection);
  return {
    calls: (count) => repeat(count, () => computer.refresh()),
    terminal: (count) => repeat(count, async () => (await connected.terminal({}, LIMIT)).close()),
    audio: (count) => repeat(count, async () => (await connected.audio({}, LIMIT)).close()),
    events: (count) => repeat(count, async () => (await connected.events(["idle"], LIMIT)).close()),
  };
}

/** Repeats an action `count` times, and a few at the same time. */
export async function repeat(count, action) {
  let remaining = count;
  const worker = async () => {
    while (remaining-- > 0) await action();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

/**
 * @param {number} count the number of repetitions in all parts together
 * @param {(count: number) => Promise<void>} load
 * @param {() => T | Promise<T>} measure
 * @returns {Promise<T[]>} the measurement after each part
 * @template T
 */
export async function inParts(count, load, measure) {
  const measured = [];
  for (let part = 0; part < PARTS; part++) {
    await load(Math.ceil(count / PARTS));
    measured.push(await measure());
  }
  return measured;
}
