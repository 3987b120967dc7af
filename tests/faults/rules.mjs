// What has to come of each fault, by the rules of the protocol: written from the design, not from the code.
import { FAULTS, LARGEST } from "./faults.mjs";

/** How often a call may be sent again in these tests, where the fault lasts. */
export const RETRIES = 1;

/**
 * What a fault means.
 *
 * @typedef {object} Meaning
 * @property {string} error the class of the error
 * @property {"no" | "maybe" | "yes"} delivered whether the call was carried out, as far as a client can know
 * @property {false | "perhaps"} [left] whether anything was sent at all, where that is not sure; a page cannot see it
 * @property {boolean} [arrives] whether the request arrives whole
 * @property {boolean} [final] another try cannot succeed
 * @property {number} [wait] how long the server wants the client to wait, in milliseconds
 * @property {object} [kept] fields of the answer that the error has to have
 */

const unsent = { error: "ConnectionError", delivered: "no", left: false, arrives: false };
const broken = { error: "ConnectionError", delivered: "maybe" };
const answered = (error, status, fields = {}) => ({ error, kept: { status, request_id: `req_${status}`, ...fields } });
/** The answer itself says that nothing was carried out. */
const awaking = (error, status, code, fields) => ({
  ...answered(error, status, { code, ...fields }),
  delivered: "no",
});
/** The next response would be as large. */
const oversized = {
  error: "ResponseTooLargeError",
  delivered: "yes",
  final: true,
  kept: { status: 200, limit: LARGEST },
};
const late = { ...answered("APIError", 408, { upstream_status: 408 }), delivered: "maybe" };

/** @type {Record<keyof FAULTS, Meaning>} */
export const MEANINGS = {
  "connection refused": unsent,
  "unknown host": unsent,
  "TLS failed": unsent,
  "reset at once": { ...broken, left: "perhaps", arrives: false },
  "reset in the request": { ...broken, arrives: false },
  "reset in the request, on a kept connection": { ...broken, arrives: false },
  "reset after the request": broken,
  "reset after the request, on a kept connection": broken,
  "no answer": { error: "TimeoutError", delivered: "maybe" },
  "answer cut off": broken,
  "answer cut off where its length is not known": { error: "DecodeError", delivered: "yes", kept: { status: 200 } },
  "answer that is not JSON": { error: "DecodeError", delivered: "yes", kept: { status: 200 } },
  "response that is too large": oversized,
  "response that is too large, where its length is not known": oversized,
  "408 request timeout": late,
  "408 request timeout, on a kept connection": late,
  "409 conflict": {
    ...answered("ConflictError", 409, { code: "computer_asleep", upstream_status: 409 }),
    delivered: "no",
    final: true,
  },
  "409 `computer_waking`": awaking("ConflictError", 409, "computer_waking"),
  "409 `suspend_in_progress`": awaking("ConflictError", 409, "suspend_in_progress"),
  "409 `resume_in_progress`": awaking("ConflictError", 409, "resume_in_progress"),
  "429 too many requests": { ...answered("RateLimitError", 429), delivered: "no" },
  "429 with `Retry-After: 1`": { ...answered("RateLimitError", 429, { retry_after: 1 }), delivered: "no", wait: 1000 },
  "429 with `Retry-After` as a date": {
    ...answered("RateLimitError", 429, { retry_after: 1 }),
    delivered: "no",
    wait: 1000,
  },
  "500 internal error": { ...answered("ServerError", 500, { upstream_status: 504 }), delivered: "maybe" },
  "502 bad gateway": { ...answered("ServerError", 502), delivered: "maybe" },
  "503 unavailable": { ...answered("ServerError", 503, { retry_after: 0 }), delivered: "maybe", wait: 0 },
  "503 `resuming`": { ...awaking("ServerError", 503, "resuming", { retry_after: 1 }), wait: 1000 },
  "503 `wake_failed`": awaking("ServerError", 503, "wake_failed"),
  "503 `no_capacity`": awaking("ServerError", 503, "no_capacity"),
  "503 `saved_state_unavailable`": awaking("ServerError", 503, "saved_state_unavailable"),
  "504 gateway timeout": { ...answered("ServerError", 504), delivered: "maybe" },
};

/** What the platforms can do: see why a connection failed; leave the repeating to the caller. */
export const PLATFORMS = {
  native: { sees: true, repeats: false },
  "wasm in Node": { sees: false, repeats: false },
  "wasm in Chromium": { sees: false, repeats: true },
};

/** Faults after which Chromium itself sends a request once more, of any method, if the connection was kept. */
const REPEATED = new Set([
  "reset in the request, on a kept connection",
  "reset after the request, on a kept connection",
  "408 request timeout, on a kept connection",
]);

/** Whether a fault can pass while a test runs. */
export const canPass = (fault) => FAULTS[fault].place !== "nowhere";

/** Whether the fetching of a link can meet the fault too: what a link leads to may be anything. */
export const canFollow = (fault) => MEANINGS[fault].error !== "DecodeError" && !FAULTS[fault].kept;

/**
 * @typedef {object} Outcome
 * @property {string} [error] the class of the error; the call succeeds without it
 * @property {string} [delivered]
 * @property {object} kept fields of the error
 * @property {number} tries
 * @property {[number, number]} received how many requests arrive whole, at least and at most
 * @property {[number, number]} wait the shortest and the longest wait before the second try, in milliseconds
 */

/**
 * What may come of a call: one outcome, unless the client may notice the fault before it sends or after.
 *
 * @param {object} cell
 * @param {keyof PLATFORMS} cell.platform
 * @param {keyof FAULTS} cell.fault
 * @param {"read" | "idempotent" | "once"} cell.effect
 * @param {boolean} cell.followed the fault is in the fetching of a link, after the call was answered
 * @param {boolean} cell.passes only the first try meets the fault
 * @returns {Outcome[]}
 */
export function expected({ platform, fault, effect, followed, passes }) {
  const { sees, repeats } = PLATFORMS[platform];
  const { error, arrives = true, final = false, wait, kept = {}, ...meaning } = MEANINGS[fault];
  const waits = wait === undefined ? [0, 1000] : [wait, wait];
  // Of the repetitions by a browser itself the caller does not learn.
  const repeated = repeats && REPEATED.has(fault);

  const outcome = (delivered) => {
    const harmless = followed || effect !== "once" || delivered === "no";
    const again = harmless && !final;
    if (passes && (again || repeated)) {
      const received = Number(arrives) + 1;
      return { tries: repeated ? 1 : 2, received: [received, received], wait: waits, kept: {} };
    }
    const tries = again ? RETRIES + 1 : 1;
    const received = arrives ? tries : 0;
    return {
      error,
      delivered: followed ? "yes" : delivered,
      kept,
      tries,
      received: [received, repeated ? 2 * received : received],
      wait: waits,
    };
  };

  if (!sees && meaning.left === false) return [outcome("maybe")];
  if (!sees || meaning.left !== "perhaps") return [outcome(meaning.delivered)];
  // A second try that is sent decides, whatever the first one was.
  return [outcome("no"), outcome("maybe"), { ...outcome("maybe"), tries: 2 }];
}
