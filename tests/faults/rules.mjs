// The expected outcome of each fault, by the rules of the protocol. Written from the design, not from the code.
import { FAULTS, LARGEST } from "./faults.mjs";

/** The number of retries in the tests of persistent faults. */
export const RETRIES = 1;

/**
 * The meaning of a fault for the client.
 *
 * @typedef {object} Meaning
 * @property {string} error the class of the error
 * @property {"no" | "maybe" | "yes"} delivered whether the server executed the call, as far as a client can know
 * @property {false | "perhaps"} [sent] whether the client sent any data; default: yes. A page cannot know this
 * @property {boolean} [arrives] whether the server receives the complete request; default: true
 * @property {boolean} [final] a retry cannot succeed
 * @property {number} [wait] the delay that the server requests, in milliseconds
 * @property {object} [kept] fields of the response that the error must contain
 */

const unsent = { error: "ConnectionError", delivered: "no", sent: false, arrives: false };
const broken = { error: "ConnectionError", delivered: "maybe" };
const refusal = (error, status, fields = {}) => ({ error, kept: { status, request_id: `req_${status}`, ...fields } });
/** Returns the meaning of a response that reports that the server did not execute the call. */
const waking = (error, status, code, fields) => ({
  ...refusal(error, status, { code, ...fields }),
  delivered: "no",
});
/** The meaning of a response that is too large. The response to a retry would be equally large. */
const oversized = {
  error: "ResponseTooLargeError",
  delivered: "yes",
  final: true,
  kept: { status: 200, limit: LARGEST },
};
const late = { ...refusal("APIError", 408, { upstream_status: 408 }), delivered: "maybe" };

/** @type {Record<keyof FAULTS, Meaning>} */
export const MEANINGS = {
  "connection refused": unsent,
  "unknown host": unsent,
  "TLS failed": unsent,
  "reset immediately": { ...broken, sent: "perhaps", arrives: false },
  "reset during the request": { ...broken, arrives: false },
  "reset during the request, on a reused connection": { ...broken, arrives: false },
  "reset after the request": broken,
  "reset after the request, on a reused connection": broken,
  "no response": { error: "TimeoutError", delivered: "maybe" },
  "response cut off": broken,
  "response cut off, length unknown": { error: "DecodeError", delivered: "yes", kept: { status: 200 } },
  "response that is not JSON": { error: "DecodeError", delivered: "yes", kept: { status: 200 } },
  "response too large": oversized,
  "response too large, length unknown": oversized,
  "408 request timeout": late,
  "408 request timeout, on a reused connection": late,
  "409 conflict": {
    ...refusal("ConflictError", 409, { code: "computer_asleep", upstream_status: 409 }),
    delivered: "no",
    final: true,
  },
  "409 `computer_waking`": waking("ConflictError", 409, "computer_waking"),
  "409 `suspend_in_progress`": waking("ConflictError", 409, "suspend_in_progress"),
  "409 `resume_in_progress`": waking("ConflictError", 409, "resume_in_progress"),
  "429 too many requests": { ...refusal("RateLimitError", 429), delivered: "no" },
  "429 with `Retry-After: 1`": { ...refusal("RateLimitError", 429, { retry_after: 1 }), delivered: "no", wait: 1000 },
  "429 with `Retry-After` as a date": {
    ...refusal("RateLimitError", 429, { retry_after: 1 }),
    delivered: "no",
    wait: 1000,
  },
  "500 internal error": { ...refusal("ServerError", 500, { upstream_status: 504 }), delivered: "maybe" },
  "502 bad gateway": { ...refusal("ServerError", 502), delivered: "maybe" },
  "503 unavailable": { ...refusal("ServerError", 503, { retry_after: 0 }), delivered: "maybe", wait: 0 },
  "503 `resuming`": { ...waking("ServerError", 503, "resuming", { retry_after: 1 }), wait: 1000 },
  "503 `wake_failed`": waking("ServerError", 503, "wake_failed"),
  "503 `no_capacity`": waking("ServerError", 503, "no_capacity"),
  "503 `saved_state_unavailable`": waking("ServerError", 503, "saved_state_unavailable"),
  "504 gateway timeout": { ...refusal("ServerError", 504), delivered: "maybe" },
};

/**
 * The properties of each platform: whether it reports why a connection failed, and whether it repeats requests itself.
 */
export const PLATFORMS = {
  native: { sees: true, repeats: false },
  "wasm in Node": { sees: true, repeats: false },
  "wasm in Chromium": { sees: false, repeats: true },
};

/** Faults after which Chromium itself repeats a request of any method, if the connection was reused. */
const REPEATED = new Set([
  "reset during the request, on a reused connection",
  "reset after the request, on a reused connection",
  "408 request timeout, on a reused connection",
]);

/** Returns whether a fault can be transient, that is, end during a call. */
export const canBeTransient = (fault) => FAULTS[fault].connect !== "unknown host";

/** Returns whether the fault can also occur when a link is fetched. The content behind a link can have any format. */
export const affectsLinks = (fault) => MEANINGS[fault].error !== "DecodeError" && !FAULTS[fault].reused;

/**
 * @typedef {object} Outcome
 * @property {string} [error] the class of the error; absent if the call succeeds
 * @property {string} [delivered]
 * @property {object} kept fields of the error
 * @property {number} tries the number of attempts
 * @property {[number, number]} received the minimum and maximum number of requests that the server receives completely
 * @property {[number, number]} wait the minimum and maximum delay before the first retry, in milliseconds
 */

/**
 * Returns the possible outcomes of a call: only one, unless the client may detect the fault either before or after it sends data.
 *
 * @param {object} cell
 * @param {keyof PLATFORMS} cell.platform
 * @param {keyof FAULTS} cell.fault
 * @param {"read" | "idempotent" | "once"} cell.effect
 * @param {boolean} cell.followed the fault occurs when a link is fetched, after the response to the call
 * @param {boolean} cell.transient the fault is transient: it affects only the first attempt
 * @returns {Outcome[]}
 */
export function expected({ platform, fault, effect, followed, transient }) {
  const { sees, repeats } = PLATFORMS[platform];
  const { error, arrives = true, final = false, wait, kept = {}, ...meaning } = MEANINGS[fault];
  const waits = wait === undefined ? [0, 1000] : [wait, wait];
  // The caller cannot observe that a browser repeats a request.
  const repeated = repeats && REPEATED.has(fault);

  const outcome = (delivered) => {
    const harmless = followed || effect !== "once" || delivered === "no";
    const again = harmless && !final;
    if (transient && (again || repeated)) {
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

  if (!sees && meaning.sent === false) return [outcome("maybe")];
  if (!sees || meaning.sent !== "perhaps") return [outcome(meaning.delivered)];
  // If the second attempt sends data, `delivered` is `maybe`, regardless of the first attempt.
  return [outcome("no"), outcome("maybe"), { ...outcome("maybe"), tries: 2 }];
}
