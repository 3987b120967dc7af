import { createHash } from "node:crypto";
import { describeError } from "./errors.mjs";
import { Refused } from "./guard.mjs";

/** The longest JSON of a request, in bytes: a text to be typed is the longest that the page sends. */
const LONGEST_JSON = 256 * 1024;

/**
 * Reads the body of a request.
 *
 * @param {import("node:http").IncomingMessage} request
 * @param {number} longest in bytes
 * @returns {Promise<Buffer>}
 * @throws {Refused}
 */
export async function readBytes(request, longest) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > longest) throw new Refused(413, `The request is longer than ${longest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads the body of a request as a JSON object.
 *
 * @param {import("node:http").IncomingMessage} request
 * @returns {Promise<Record<string, unknown>>}
 * @throws {Refused}
 */
export async function readJson(request) {
  const body = await readBytes(request, LONGEST_JSON);
  if (body.length === 0) return {};
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) throw new Refused(415, "The request is not JSON");
  let value;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refused(400, "The request is not valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Refused(400, "The request is not a JSON object");
  // No call takes nested values, and deep ones would overflow the stack of code that walks through them.
  for (const [field, inner] of Object.entries(value)) {
    if (typeof inner === "object" && inner !== null)
      throw new Refused(400, `The field ${field.slice(0, 40)} must be a string, a number or a boolean`);
  }
  return value;
}

/**
 * @param {import("node:http").ServerResponse} response
 * @param {number} status
 * @param {unknown} value
 * @param {Record<string, string>} [headers]
 */
export function sendJson(response, status, value, headers = {}) {
  send(response, status, "application/json", Buffer.from(JSON.stringify(value)), headers);
}

/**
 * @param {import("node:http").ServerResponse} response
 * @param {number} status
 * @param {string} type
 * @param {Uint8Array} body
 * @param {Record<string, string>} [headers]
 */
export function send(response, status, type, body, headers = {}) {
  // A page that closed or gave a request up no longer waits for the answer.
  if (response.destroyed) return;
  response.writeHead(status, { "content-type": type, "content-length": body.length, ...headers });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/**
 * A name of some content, for the `ETag` header.
 *
 * @param {Uint8Array} content
 * @returns {string}
 */
export function tagOf(content) {
  return `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
}

/**
 * Sends content, or 304 if the request names it as what the page has.
 *
 * @param {import("node:http").ServerResponse} response
 * @param {string} type
 * @param {Uint8Array} body
 * @param {string} tag
 * @param {Record<string, string>} [headers]
 */
export function sendTagged(response, type, body, tag, headers = {}) {
  const known = response.req.headers["if-none-match"]?.split(",").some((name) => name.trim() === tag);
  if (!known) return send(response, 200, type, body, { ...headers, etag: tag });
  if (response.destroyed) return;
  response.writeHead(304, { ...headers, etag: tag });
  response.end();
}

/**
 * Sends lines of JSON as they come: `{ progress }` any number of times, then `{ result }` or `{ error }` with the times
 * of the calls, which no header can hold by then.
 *
 * @param {import("node:http").ServerResponse} response
 * @param {import("./api.mjs").Lines} lines
 * @param {import("./calls.mjs").Calls} calls
 */
export async function sendLines(response, lines, calls) {
  const write = (value) => response.destroyed || response.write(`${JSON.stringify(value)}\n`);
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  let outcome;
  try {
    outcome = { result: await lines((progress) => write({ progress })) };
  } catch (error) {
    if (response.destroyed) return;
    outcome = describeError(error).body;
  }
  write({ ...outcome, timing: calls.headers()["server-timing"] });
  response.end();
}
