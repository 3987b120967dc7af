// Every call meets every fault, once for as long as it tries and once at the first try alone.
import { CALLS, LINKED, WATCHED } from "./calls.mjs";
import { FAULTS, LARGEST } from "./faults.mjs";
import { openPlace } from "./place.mjs";
import { canFollow, canPass, expected, RETRIES } from "./rules.mjs";

/** A request is given up after so long where the server does not answer, in milliseconds. */
const PATIENCE = 5_000;
/** Any other request is answered before. */
const LONG = 60_000;
/** A fault that passes is over when the second try begins, or soon after. */
const MORE_RETRIES = 9;

/**
 * @typedef {object} Cell
 * @property {string} call
 * @property {string} effect
 * @property {string} fault
 * @property {boolean} watched
 * @property {boolean} followed
 * @property {boolean} passes
 */

/** Every call, in each of the ways in which it can meet a fault. */
function ways() {
  const once = (calls, way) => calls.map((call) => [call, { followed: false, watched: false, ...way }]);
  return [...once(Object.keys(CALLS), {}), ...once(LINKED, { followed: true }), ...once(WATCHED, { watched: true })];
}

/** @returns {Cell[]} */
export function cells(effects) {
  const all = [];
  for (const [call, { followed, watched }] of ways()) {
    for (const fault of Object.keys(FAULTS)) {
      if (followed && !canFollow(fault)) continue;
      for (const passes of canPass(fault) ? [false, true] : [false]) {
        all.push({ call, effect: effects[call], fault, followed, watched, passes });
      }
    }
  }
  return all;
}

/**
 * Lets a client make every call under every fault.
 *
 * @param {import("./clients.mjs").Client} client
 * @param {keyof import("./rules.mjs").PLATFORMS} platform
 * @param {Cell[]} all
 * @param {object} certificates see `openPlace`
 * @returns {Promise<(Cell & { error?: object, tries: number, received: number, wrong: string[] })[]>}
 */
export async function run(client, platform, all, certificates) {
  const met = [];
  const meetAll = async (some) => {
    const left = some.values();
    const worker = async () => {
      for (const cell of left) {
        const { error, progress, waits, received } = await meet(client, cell, certificates);
        const tries = waits.length + 1;
        const outcomes = expected({ ...cell, platform });
        const wrong = outcomes.map((outcome) => compare(outcome, cell, { error, progress, waits, tries, received }));
        const holds = wrong.some((list) => list.length === 0);
        met.push({ ...cell, error, tries, received, wrong: holds ? [] : wrong[0] });
      }
    };
    await Promise.all(Array.from({ length: client.atOnce }, worker));
  };
  const isSilent = ({ fault }) => FAULTS[fault].silent === true;
  await meetAll(all.filter((cell) => !isSilent(cell)));
  // By themselves, since their answers have to come in time.
  await meetAll(all.filter(isSilent));
  return met;
}

async function meet(client, { call, fault, followed, watched, passes }, certificates) {
  const { reused = false, silent = false } = FAULTS[fault];
  const place = await openPlace(FAULTS[fault], { lasts: !passes, followed, certificates });
  const before = followed ? await openPlace({}, { link: `${place.url}/content` }) : undefined;
  const baseUrl = `${(before ?? place).url}/api`;
  const options = { maxRetries: passes ? MORE_RETRIES : RETRIES, timeout: silent ? PATIENCE : LONG, maxResponseBytes: LARGEST };
  const made = await client.work("make", { call, watched, warm: reused, baseUrl, options }, () => void place.mend());
  await place.close();
  await before?.close();
  return { ...made, received: place.received() };
}

/** What is otherwise than it has to be. */
function compare(wanted, { call, fault, watched, passes }, { error, progress, waits, tries, received }) {
  const wrong = [];
  const check = (holds, what) => holds || wrong.push(what);
  check(error?.name === wanted.error, `${error?.name ?? "success"} instead of ${wanted.error ?? "success"}`);
  check(error?.delivered === wanted.delivered, `delivered: ${error?.delivered} instead of ${wanted.delivered}`);
  for (const [name, value] of Object.entries(wanted.kept)) {
    check(error?.[name] === value, `${name}: ${error?.[name]} instead of ${value}`);
  }
  check(error === undefined || error.message.startsWith(`${call}: `), `message: ${error?.message}`);
  if (watched) check(isProgress(progress, error === undefined), `progress: ${JSON.stringify(progress)}`);
  const { place, resets, silent } = FAULTS[fault];
  // The second try may begin before the place is mended, and on a slow machine a request may be given up before it arrives.
  const more = passes && wanted.tries > 1 && (place !== undefined || resets === "immediately" || silent);
  check(more ? tries >= wanted.tries : tries === wanted.tries, `${tries} tries instead of ${wanted.tries}`);
  const [least, most] = silent ? [0, tries] : wanted.received;
  check(received >= least && received <= most, `${received} received instead of ${least} to ${most}`);
  waits.forEach((wait, index) => {
    const [shortest, longest] = wanted.wait;
    check(wait >= shortest && wait <= longest * 2 ** (shortest < longest ? index : 0), `a wait of ${wait} ms`);
  });
  return wrong;
}

/** Whether a file only grew on its way, and was whole at last if that had to be. */
function isProgress(progress, whole) {
  const grows = progress.every(({ loaded, total }, index) => loaded <= total && loaded > (progress[index - 1]?.loaded ?? -1));
  const last = progress.at(-1);
  return grows && (!whole || (last !== undefined && last.loaded === last.total));
}
