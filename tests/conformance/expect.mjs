// Assertions about responses, for the checks.
import assert from "node:assert/strict";

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** An id that no computer, workspace or file has. */
export const UNKNOWN = "00000000-0000-4000-8000-000000000000";

/** Checks each field against its expected type: a `typeof` name, a pattern, `null`, `"array"`, or a list of alternatives. */
export function hasFields(value, fields) {
  assert.ok(value && typeof value === "object", `not an object: ${JSON.stringify(value)}`);
  for (const [name, type] of Object.entries(fields)) {
    const types = [type].flat();
    assert.ok(
      types.some((alternative) => hasType(value[name], alternative)),
      `${name} is ${JSON.stringify(value[name])}, not ${types.join(" or ")}`,
    );
  }
}

function hasType(value, type) {
  if (type === null) return value === null;
  if (type instanceof RegExp) return typeof value === "string" && type.test(value);
  if (type === "array") return Array.isArray(value);
  return typeof value === type && value !== null;
}

/** Checks that the status is 200. Returns the body. */
export function ok({ status, body }) {
  assert.equal(status, 200, `status ${status}: ${body?.error}`);
  return body;
}

/** Checks that the status is 200 or 201. Returns the body. */
export function created({ status, body }) {
  assert.ok([200, 201].includes(status), `status ${status}: ${body?.error}`);
  return body;
}

/** Checks that the status is 200 and that the body contains `success: true`. Returns the body. */
export function succeeded(response) {
  assert.equal(ok(response).success, true, `success is ${response.body.success}`);
  return response.body;
}

/** Checks that the status is in `statuses` (default: 400 to 499), and that the body contains an error text. Returns the body. */
export function refused({ status, body }, ...statuses) {
  const expected = statuses.length > 0 ? statuses.includes(status) : status >= 400 && status < 500;
  assert.ok(expected, `status ${status}, not ${statuses.join(" or ") || "400 to 499"}`);
  assert.equal(typeof body?.error, "string", "the body has no error");
  return body;
}

/** Returns the format of an image according to its first bytes and, for a PNG, the size of the image. */
export function imageInfo(bytes) {
  if (bytes.subarray(0, 4).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47]))) {
    return { format: "png", width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  return { format: bytes.subarray(0, 2).equals(Buffer.from([0xff, 0xd8])) ? "jpeg" : "unknown" };
}
