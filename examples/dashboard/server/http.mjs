import { createHash } from "node:crypto";
import { describeError } from "./errors.mjs";
import { HttpError } from "./guard.mjs";

/** The maximum size of a JSON body, in bytes. The largest bodies contain text to type. */
const MAX_JSON_SIZE = 256 * 1024;

/**
 * Reads the body of a request.
 *
 * @param {import("node:http").IncomingMessage} request
 * @param {number} limit the maximum size in bytes
 * @returns {Promise<Buffer>}
 * @throws {HttpError}
 */
export async function readBytes(request, limit) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > limit) throw new HttpError(413, `The request body is too large: the maximum is ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads the body of a request as a JSON object.
 *
 * @param {import("node:http").IncomingMessage} request
 * @returns {Promise<Record<string, unknown>>}
 * @throws {HttpError}
 */
export async function readJson(request) {
  const body = await readBytes(request, MAX_JSON_SIZE);
  if (body.length === 0) return {};
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? ""))
    throw new HttpError(415, "The content type of the request must be application/json");
  let value;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new HttpError(400, "The request body must be valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new HttpError(400, "The request body must be a JSON object");
  // No call accepts nested values, and deeply nested values could overflow the stack of recursive code.
  for (const [field, inner] of Object.entries(value)) {
    if (typeof inner === "object" && inner !== null)
      throw new HttpError(400, `The field ${field.slice(0, 40)} must be a string, a number or a boolean`);
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
  // The page has canceled the request, or the page was closed.
  if (response.destroyed) return;
  response.writeHead(status, { "content-type": type, "content-length": body.length, ...headers });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/**
 * Returns an `ETag` for the content.
 *
 * @param {Uint8Array} content
 * @returns {string}
 */
export function etagOf(content) {
  return `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
}

/**
 * Sends the content, or 304 if the request has a matching `If-None-Match` header.
 *
 * @param {import("node:http").ServerResponse} response
 * @param {string} type
 * @param {Uint8Array} body
 * @param {string} etag
 * @param {Record<string, string>} [headers]
 */
export function sendWithEtag(response, type, body, etag, headers = {}) {
  const known = response.req.headers["if-none-match"]?.split(",").some((name) => name.trim() === etag);
  if (!known) return send(response, 200, type, body, { ...headers, etag });
  if (response.destroyed) return;
  response.writeHead(304, { ...headers, etag });
  response.end();
}

/**
 * Runs a call and streams its progress as NDJSON: any number of `{ progress }` lines, then one line with `{ result }` or
 * `{ error }`. The last line also contains the durations of the calls, because the headers are already sent.
 *
 * @param {import("node:http").ServerResponse} response
 * @param {import("./api.mjs").LongCall} longCall
 * @param {import("./calls.mjs").Calls} calls
 */
export async function sendProgress(response, longCall, calls) {
  const write = (value) => response.destroyed || response.write(`${JSON.stringify(value)}\n`);
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  let outcome;
  try {
    outcome = { result: await longCall((progress) => write({ progress })) };
  } catch (error) {
    if (response.destroyed) return;
    outcome = describeError(error).body;
  }
  write({ ...outcome, timing: calls.headers()["server-timing"] });
  response.end();
}
