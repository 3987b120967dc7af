// What the checks say of answers.
import assert from "node:assert/strict";

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** The id that no computer, workspace or file has. */
export const UNKNOWN = "00000000-0000-4000-8000-000000000000";

/** Each field is of its kind: a `typeof`, a pattern, `null`, or a list of kinds of which one will do. */
export function hasFields(value, fields) {
  assert.ok(value && typeof value === "object", `there is no object: ${JSON.stringify(value)}`);
  for (const [name, kind] of Object.entries(fields)) {
    const kinds = [kind].flat();
    assert.ok(
      kinds.some((it) => fits(value[name], it)),
      `${name} is ${JSON.stringify(value[name])}, not ${kinds.join(" or ")}`,
    );
  }
}

function fits(found, kind) {
  if (kind === null) return found === null;
  if (kind instanceof RegExp) return typeof found === "string" && kind.test(found);
  if (kind === "array") return Array.isArray(found);
  return typeof found === kind && found !== null;
}

/** The body of an answer with status 200. */
export function ok({ status, body }) {
  assert.equal(status, 200, `status ${status}: ${body?.error}`);
  return body;
}

/** The body of an answer that says of what was made. */
export function created({ status, body }) {
  assert.ok([200, 201].includes(status), `status ${status}: ${body?.error}`);
  return body;
}

/** The body of an answer with status 200 and `success`. */
export function succeeded(answer) {
  assert.equal(ok(answer).success, true, `success is ${answer.body.success}`);
  return answer.body;
}

/** The body of a refusal, which says why. Without statuses any of 400 to 499 will do. */
export function refused({ status, body }, ...statuses) {
  const right = statuses.length > 0 ? statuses.includes(status) : status >= 400 && status < 500;
  assert.ok(right, `status ${status}, not ${statuses.join(" or ") || "400 to 499"}`);
  assert.equal(typeof body?.error, "string", "the body has no error");
  return body;
}

/** The kind of a picture by its first bytes, and its size if it is a PNG. */
export function picture(bytes) {
  if (bytes.subarray(0, 4).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47]))) {
    return { kind: "png", width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  return { kind: bytes.subarray(0, 2).equals(Buffer.from([0xff, 0xd8])) ? "jpeg" : "unknown" };
}
