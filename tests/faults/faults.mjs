// The faults between client and server, and how the test server causes each of them.

/** The maximum response size that the clients of these tests accept, in bytes. */
export const LARGEST = 4096;

/**
 * @typedef {object} Fault
 * @property {"refused" | "unknown host" | "untrusted"} [connect] why the client cannot connect: a closed port, an
 *   unknown host, an untrusted certificate
 * @property {"immediately" | "during the request" | "after the request"} [resets] when the server resets the connection
 * @property {true} [silent] the server receives the request and never responds
 * @property {(server: { date: Date }) => Response} [responds] the response of the server
 * @property {"length" | "close"} [cut] the response ends too early; `length`: the response has a `content-length`,
 *   `close`: it does not
 * @property {true} [reused] the fault occurs on a connection that has already served another request
 *
 * @typedef {{ status: number, headers?: Record<string, string | undefined>, body: string }} Response
 */

const refusal = (status, fields = {}, headers = {}) => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ error: `fault ${status}`, request_id: `req_${status}`, ...fields }),
});

const waking = (status, code) => ({ responds: () => refusal(status, { code }) });

/** @type {Record<string, Fault>} */
export const FAULTS = {
  "connection refused": { connect: "refused" },
  "unknown host": { connect: "unknown host" },
  "TLS failed": { connect: "untrusted" },
  "reset immediately": { resets: "immediately" },
  "reset during the request": { resets: "during the request" },
  "reset during the request, on a reused connection": { resets: "during the request", reused: true },
  "reset after the request": { resets: "after the request" },
  "reset after the request, on a reused connection": { resets: "after the request", reused: true },
  "no response": { silent: true },
  "response cut off": { cut: "length" },
  "response cut off, length unknown": { cut: "close" },
  "response that is not JSON": { responds: () => ({ status: 200, body: "<html>Sign in</html>" }) },
  "response too large": { responds: () => ({ status: 200, body: " ".repeat(LARGEST + 1) }) },
  "response too large, length unknown": {
    responds: () => ({ status: 200, headers: { "content-length": undefined }, body: " ".repeat(LARGEST + 1) }),
  },
  "408 request timeout": { responds: () => refusal(408, { upstream_status: 408 }) },
  "408 request timeout, on a reused connection": { responds: () => refusal(408, { upstream_status: 408 }), reused: true },
  "409 conflict": { responds: () => refusal(409, { code: "computer_asleep", upstream_status: 409 }) },
  "409 `computer_waking`": waking(409, "computer_waking"),
  "409 `suspend_in_progress`": waking(409, "suspend_in_progress"),
  "409 `resume_in_progress`": waking(409, "resume_in_progress"),
  "429 too many requests": { responds: () => refusal(429) },
  "429 with `Retry-After: 1`": { responds: () => refusal(429, {}, { "retry-after": "1" }) },
  "429 with `Retry-After` as a date": {
    responds({ date }) {
      const until = new Date(date.getTime() + 1000);
      return refusal(429, {}, { date: date.toUTCString(), "retry-after": until.toUTCString() });
    },
  },
  "500 internal error": { responds: () => refusal(500, { upstream_status: 504 }) },
  "502 bad gateway": {
    responds: () => ({ status: 502, headers: { "x-request-id": "req_502" }, body: "<html>Bad gateway</html>" }),
  },
  "503 unavailable": { responds: () => refusal(503, {}, { "retry-after": "0" }) },
  "503 `resuming`": { responds: () => refusal(503, { code: "resuming", retry_after: 1 }) },
  "503 `wake_failed`": waking(503, "wake_failed"),
  "503 `no_capacity`": waking(503, "no_capacity"),
  "503 `saved_state_unavailable`": waking(503, "saved_state_unavailable"),
  "504 gateway timeout": { responds: () => refusal(504) },
};
