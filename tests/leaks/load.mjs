// The work of the leak tests, in Node and in a page: many calls, and many openings and closings of each channel.

/** After so many parts of each kind of work the memory is measured. */
const PARTS = 20;
/** How many calls, or channels, are under way at once. */
const AT_ONCE = 8;

const KINDS = {
  terminal: (computer) => computer.terminal(),
  audio: (computer) => computer.audio(),
  events: (computer) => computer.events(["idle"]),
};

/**
 * @param {typeof import("orgo-sdk")} sdk
 * @param {number} port of the server
 * @param {{ calls: number, opens: number }} counts
 * @param {() => number | Promise<number>} measure bytes that are held now
 * @returns {Promise<Record<string, number[]>>} what was measured after each part, by the kind of work
 */
export async function load(sdk, port, { calls, opens }, measure) {
  const baseUrl = `http://127.0.0.1:${port}/api`;
  const orgo = new sdk.Orgo({ apiKey: "k", baseUrl, dangerouslyAllowBrowser: true });
  const computer = orgo.computer("c");
  const connection = { version: 1, computer_id: "c", connection_url: `http://127.0.0.1:${port}`, password: "p" };
  const connected = sdk.Orgo.connect(connection);
  const measured = { calls: await inParts(calls, () => computer.refresh(), measure) };
  for (const [kind, open] of Object.entries(KINDS)) {
    measured[kind] = await inParts(opens, async () => (await open(connected)).close(), measure);
  }
  return measured;
}

async function inParts(count, work, measure) {
  const measured = [];
  for (let part = 0; part < PARTS; part++) {
    let left = Math.ceil(count / PARTS);
    const worker = async () => {
      while (left-- > 0) await work();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    measured.push(await measure());
  }
  return measured;
}
