// Runs every call under every fault, both persistent and transient, and compares the outcomes with the rules.
import { CALLS, LINKED, STREAMED, WITH_PROGRESS } from "./calls.mjs";
import { startFaultServer } from "./fault-server.mjs";
import { FAULTS, LARGEST } from "./faults.mjs";
import { affectsLinks, canBeTransient, expected, RETRIES } from "./rules.mjs";

/** The timeout of requests to a server that does not respond, in milliseconds. */
const SILENT_TIMEOUT = 5_000;
/** The timeout of all other requests, in milliseconds. No request reaches this timeout. */
const LONG = 60_000;
/** The maximum number of retries for a transient fault. Such a fault ends when the second attempt starts, or shortly after. */
const MORE_RETRIES = 9;

/**
 * @typedef {object} Cell
 * @property {string} call
 * @property {string} effect
 * @property {string} fault
 * @property {boolean} withProgress
 * @property {boolean} followed
 * @property {boolean} transient
 */

/** Returns the variants of all calls: the call alone, the call with a fault at the linked content, and the call with progress. */
function variants() {
  const all = (calls, variant) => calls.map((call) => [call, { followed: false, withProgress: false, ...variant }]);
  return [...all(Object.keys(CALLS), {}), ...all(LINKED, { followed: true }), ...all(WITH_PROGRESS, { withProgress: true })];
}

/** @returns {Cell[]} */
export function cells(effects) {
  const all = [];
  for (const [call, { followed, withProgress }] of variants()) {
    for (const fault of Object.keys(FAULTS)) {
      if (followed && !affectsLinks(fault)) continue;
      // The call has succeeded then. The tests of streams cover this.
      if (followed && STREAMED.includes(call) && FAULTS[fault].cut) continue;
      for (const transient of canBeTransient(fault) ? [false, true] : [false]) {
        all.push({ call, effect: effects[call], fault, followed, withProgress, transient });
      }
    }
  }
  return all;
}

/**
 * Runs every call under every fault with a client.
 *
 * @param {import("./clients.mjs").Client} client
 * @param {keyof import("./rules.mjs").PLATFORMS} platform
 * @param {Cell[]} all
 * @param {object} certificates the certificates for `startFaultServer`
 * @returns {Promise<(Cell & { error?: object, tries: number, received: number, wrong: string[] })[]>}
 */
export async function run(client, platform, all, certificates) {
  const results = [];
  const runAll = async (selected) => {
    const remaining = selected.values();
    const worker = async () => {
      for (const cell of remaining) {
        const { error, progress, waits, received } = await runCell(client, cell, certificates);
        const tries = waits.length + 1;
        const outcomes = expected({ ...cell, platform });
        const wrong = outcomes.map((outcome) => compare(outcome, cell, { error, progress, waits, tries, received }));
        const holds = wrong.some((list) => list.length === 0);
        results.push({ ...cell, error, tries, received, wrong: holds ? [] : wrong[0] });
      }
    };
    await Promise.all(Array.from({ length: client.concurrency }, worker));
  };
  const isSilent = ({ fault }) => FAULTS[fault].silent === true;
  await runAll(all.filter((cell) => !isSilent(cell)));
  // Calls without a response run separately, because other load could delay their requests beyond the timeout.
  await runAll(all.filter(isSilent));
  return results;
}

async function runCell(client, { call, fault, followed, withProgress, transient }, certificates) {
  const { reused = false, silent = false } = FAULTS[fault];
  const server = await startFaultServer(FAULTS[fault], { persistent: !transient, followed, certificates });
  const linkServer = followed ? await startFaultServer({}, { link: `${server.url}/content` }) : undefined;
  const baseUrl = `${(linkServer ?? server).url}/api`;
  const options = {
    maxRetries: transient ? MORE_RETRIES : RETRIES,
    timeout: silent ? SILENT_TIMEOUT : LONG,
    maxResponseBytes: LARGEST,
  };
  const task = { call, withProgress, warm: reused, baseUrl, options };
  const result = await client.run("makeCall", task, () => void server.onRetry());
  await server.close();
  await linkServer?.close();
  return { ...result, received: server.received() };
}

/** Returns descriptions of the differences between the expected outcome and the result of a call. */
function compare(outcome, { call, fault, withProgress, transient }, { error, progress, waits, tries, received }) {
  const wrong = [];
  const check = (holds, what) => holds || wrong.push(what);
  check(error?.name === outcome.error, `${error?.name ?? "success"} instead of ${outcome.error ?? "success"}`);
  check(error?.delivered === outcome.delivered, `delivered: ${error?.delivered} instead of ${outcome.delivered}`);
  for (const [name, value] of Object.entries(outcome.kept)) {
    check(error?.[name] === value, `${name}: ${error?.[name]} instead of ${value}`);
  }
  check(error === undefined || error.message.startsWith(`${call}: `), `message: ${error?.message}`);
  if (withProgress) check(isProgress(progress, error === undefined), `progress: ${JSON.stringify(progress)}`);
  const { connect, resets, silent } = FAULTS[fault];
  // The second attempt may start before the fault ends, and on a slow machine a request may time out before it arrives.
  const more = transient && outcome.tries > 1 && (connect !== undefined || resets === "immediately" || silent);
  check(more ? tries >= outcome.tries : tries === outcome.tries, `${tries} attempts instead of ${outcome.tries}`);
  const [least, most] = silent ? [0, tries] : outcome.received;
  check(received >= least && received <= most, `${received} received instead of ${least} to ${most}`);
  waits.forEach((wait, index) => {
    const [shortest, longest] = outcome.wait;
    check(wait >= shortest && wait <= longest * 2 ** (shortest < longest ? index : 0), `a delay of ${wait} ms`);
  });
  return wrong;
}

/** Checks that the progress only increases and, if required, that it is complete. */
function isProgress(progress, complete) {
  const grows = progress.every(({ loaded, total }, index) => loaded <= total && loaded > (progress[index - 1]?.loaded ?? -1));
  const last = progress.at(-1);
  return grows && (!complete || (last !== undefined && last.loaded === last.total));
}
