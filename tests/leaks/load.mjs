// The work of the leak tests, in Node and in a page: many calls, and many openings and closings of each channel.

/** After so many parts of each kind of work the memory is measured. */
const PARTS = 20;
/** The kinds of work. */
export const KINDS = ["calls", "terminal", "audio", "events"];
/** A machine that is slow, or stopped for a while, is no leak. */
const LIMIT = { timeout: 3_600_000 };
/** How many calls, or channels, are under way at once: beyond it Chromium delays the opening of sockets on purpose. */
const AT_ONCE = 4;

/**
 * @param {typeof import("orgo-sdk")} sdk
 * @param {number} port of the server
 * @returns {Record<"calls" | "terminal" | "audio" | "events", (count: number) => Promise<void>>} does each kind of work so
 *   many times
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

async function repeat(count, work) {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/**
 * @param {number} count how often the work is done, in all parts together
 * @param {(count: number) => Promise<void>} work
 * @param {() => T | Promise<T>} measure
 * @returns {Promise<T[]>} what was measured after each part
 * @template T
 */
export async function inParts(count, work, measure) {
  const measured = [];
  for (let part = 0; part < PARTS; part++) {
    await work(Math.ceil(count / PARTS));
    measured.push(await measure());
  }
  return measured;
}
