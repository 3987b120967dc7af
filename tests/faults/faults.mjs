// What goes wrong between a client and a server, and what the server does for it.

/** The largest response that the clients of these tests accept, in bytes. */
export const LARGEST = 4096;

/**
 * @typedef {object} Fault
 * @property {"closed" | "nowhere" | "stranger"} [place] why no connection comes about: nobody listens, no such host, a
 *   certificate of nobody's
 * @property {"at once" | "in the request" | "after the request"} [resets] when the server resets the connection
 * @property {true} [silent] the server takes the request and never answers
 * @property {(place: { date: Date }) => Answer} [answers] what it answers
 * @property {"length" | "close"} [cut] its answer ends too early, and whether the length that it named shows that
 * @property {true} [kept] it happens on a connection that served another request before
 *
 * @typedef {{ status: number, headers?: Record<string, string | undefined>, body: string }} Answer
 */

const refusal = (status, fields = {}, headers = {}) => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ error: `fault ${status}`, request_id: `req_${status}`, ...fields }),
});

const waking = (status, code) => ({ answers: () => refusal(status, { code }) });

/** @type {Record<string, Fault>} */
export const FAULTS = {
  "connection refused": { place: "closed" },
  "unknown host": { place: "nowhere" },
  "TLS failed": { place: "stranger" },
  "reset at once": { resets: "at once" },
  "reset in the request": { resets: "in the request" },
  "reset in the request, on a kept connection": { resets: "in the request", kept: true },
  "reset after the request": { resets: "after the request" },
  "reset after the request, on a kept connection": { resets: "after the request", kept: true },
  "no answer": { silent: true },
  "answer cut off": { cut: "length" },
  "answer cut off where its length is not known": { cut: "close" },
  "answer that is not JSON": { answers: () => ({ status: 200, body: "<html>Sign in</html>" }) },
  "response that is too large": { answers: () => ({ status: 200, body: " ".repeat(LARGEST + 1) }) },
  "response that is too large, where its length is not known": {
    answers: () => ({ status: 200, headers: { "content-length": undefined }, body: " ".repeat(LARGEST + 1) }),
  },
  "408 request timeout": { answers: () => refusal(408, { upstream_status: 408 }) },
  "408 request timeout, on a kept connection": { answers: () => refusal(408, { upstream_status: 408 }), kept: true },
  "409 conflict": { answers: () => refusal(409, { code: "computer_asleep", upstream_status: 409 }) },
  "409 `computer_waking`": waking(409, "computer_waking"),
  "409 `suspend_in_progress`": waking(409, "suspend_in_progress"),
  "409 `resume_in_progress`": waking(409, "resume_in_progress"),
  "429 too many requests": { answers: () => refusal(429) },
  "429 with `Retry-After: 1`": { answers: () => refusal(429, {}, { "retry-after": "1" }) },
  "429 with `Retry-After` as a date": {
    answers({ date }) {
      const until = new Date(date.getTime() + 1000);
      return refusal(429, {}, { date: date.toUTCString(), "retry-after": until.toUTCString() });
    },
  },
  "500 internal error": { answers: () => refusal(500, { upstream_status: 504 }) },
  "502 bad gateway": {
    answers: () => ({ status: 502, headers: { "x-request-id": "req_502" }, body: "<html>Bad gateway</html>" }),
  },
  "503 unavailable": { answers: () => refusal(503, {}, { "retry-after": "0" }) },
  "503 `resuming`": { answers: () => refusal(503, { code: "resuming", retry_after: 1 }) },
  "503 `wake_failed`": waking(503, "wake_failed"),
  "503 `no_capacity`": waking(503, "no_capacity"),
  "503 `saved_state_unavailable`": waking(503, "saved_state_unavailable"),
  "504 gateway timeout": { answers: () => refusal(504) },
};
