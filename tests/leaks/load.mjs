// The work of the leak tests, in Node and in a page: many calls, and many openings and closings of each channel.

/** After so many parts of each kind of work the memory is measured. */
export const PARTS = 20;
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
  const orgo = new sdk.Orgo({ apiKey: "k", baseUrl, dangerouslyAllowBrowser: true });
  const computer = orgo.computer("c");
  const connection = { version: 1, computer_id: "c", connection_url: `http://127.0.0.1:${port}`, password: "p" };
  const connected = sdk.Orgo.connect(connection);
  return {
    calls: (count) => repeat(count, () => computer.refresh()),
    terminal: (count) => repeat(count, async () => (await connected.terminal()).close()),
    audio: (count) => repeat(count, async () => (await connected.audio()).close()),
    events: (count) => repeat(count, async () => (await connected.events(["idle"])).close()),
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
 * @param {{ calls: number, opens: number }} counts
 * @param {(kind: string, count: number) => Promise<void>} work
 * @param {() => T | Promise<T>} measure
 * @returns {Promise<Record<string, T[]>>} what was measured after each part, by the kind of work
 * @template T
 */
export async function inParts({ calls, opens }, work, measure) {
  const measured = {};
  for (const kind of ["calls", "terminal", "audio", "events"]) {
    measured[kind] = [];
    for (let part = 0; part < PARTS; part++) {
      await work(kind, Math.ceil((kind === "calls" ? calls : opens) / PARTS));
      measured[kind].push(await measure());
    }
  }
  return measured;
}
