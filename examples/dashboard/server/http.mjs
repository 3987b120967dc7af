import { Refused } from "./guard.mjs";

/** The longest body of a request, in bytes: a text to be typed is the longest thing that the page sends. */
const LONGEST_BODY = 256 * 1024;

/**
 * Reads the body of a request as a JSON object.
 *
 * @param {import("node:http").IncomingMessage} request
 * @returns {Promise<Record<string, unknown>>}
 * @throws {Refused}
 */
export async function readJson(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw new Refused(413, `The request is longer than ${LONGEST_BODY} bytes`);
    chunks.push(chunk);
  }
  if (length === 0) return {};
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? ""))
    throw new Refused(415, "The request is not JSON");
  let value;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Refused(400, "The request is not valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Refused(400, "The request is not a JSON object");
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
