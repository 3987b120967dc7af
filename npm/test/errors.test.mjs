import assert from "node:assert/strict";
import test from "node:test";
import { refusal } from "./support/fake-binding.mjs";
import { source } from "./support/source.mjs";

const { errorFromRecord, OrgoError, APIError } = source;

test("a refusal becomes the error class of its status code", () => {
  const names = {
    400: "BadRequestError",
    401: "AuthenticationError",
    402: "APIError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    429: "RateLimitError",
    500: "ServerError",
    503: "ServerError",
  };
  for (const [status, name] of Object.entries(names)) {
    const error = errorFromRecord(refusal(Number(status)));
    assert.equal(error.constructor, source[name]);
    assert.equal(error.name, name);
    assert.ok(error instanceof APIError && error instanceof OrgoError && error instanceof Error);
  }
});

test("every kind of record becomes its error class", () => {
  const names = {
    encode: "InvalidParameterError",
    decode: "DecodeError",
    too_large: "ResponseTooLargeError",
    transport: "ConnectionError",
    timeout: "TimeoutError",
    aborted: "AbortError",
    closed: "ChannelClosedError",
  };
  for (const [kind, name] of Object.entries(names)) {
    const error = errorFromRecord({ kind, message: "m", delivered: "maybe" });
    assert.equal(error.constructor, source[name]);
    assert.deepEqual([error.kind, error.message, error.delivered], [kind, "m", "maybe"]);
  }
});

test("an error has exactly the fields of its record", () => {
  const fields = { code: "computer_waking", request_id: "r", upstream_status: 504, retry_after: 2 };
  const error = errorFromRecord(refusal(409, fields));
  for (const [name, value] of Object.entries(fields)) assert.equal(error[name], value);
  assert.deepEqual(Object.keys(error).sort(), ["body", "delivered", "kind", "status", ...Object.keys(fields)].sort());
  assert.match(error.stack, /^ConflictError: refused: 409/);
});

test("the error of a closed channel has the cause", () => {
  const cause = { reason: "unauthorized", code: 4401, message: "m" };
  assert.deepEqual(errorFromRecord({ kind: "closed", message: "m", delivered: "no", cause }).cause, cause);
});
