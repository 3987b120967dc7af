/** The header that the page adds to its requests. A page of another origin cannot send it, because the CORS preflight fails. */
const OWN_HEADER = "x-orgo-dashboard";

/** An error with the HTTP status of the response to send. */
export class HttpError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {string} [name] the error name that the page receives
   */
  constructor(status, message, name = "HttpError") {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** The error for a request that has neither the access key nor the cookie. */
export class KeyRequired extends HttpError {
  constructor() {
    super(403, "The access key is missing or wrong: open the URL that `npm start` printed", "KeyRequired");
  }
}

/**
 * Rejects requests from other sites. A site that resolves its own name to this machine (DNS rebinding) sends a different
 * `Host`. A page on another port of this machine sends a different `Origin`, or cannot send `OWN_HEADER`. Browsers also
 * report in `Sec-Fetch-Site` which site started a request. Other sites may only link to the page.
 *
 * @param {import("node:http").IncomingMessage} request
 * @param {number} port the port of this server
 * @param {boolean} api whether the request is for the API or for a file of the page
 * @throws {HttpError}
 */
export function checkRequest(request, port, api) {
  const { host, origin } = request.headers;
  const names = ["127.0.0.1", "localhost"].map((name) => new URL(`http://${name}:${port}`).host);
  if (host === undefined || !names.includes(host)) {
    throw new HttpError(421, "The host must be 127.0.0.1 or localhost");
  }
  if (origin !== undefined && origin !== `http://${host}`)
    throw new HttpError(403, "Requests from other origins are not allowed");
  const { "sec-fetch-site": site = "none", "sec-fetch-mode": mode } = request.headers;
  const isLink = mode === "navigate" && !api;
  if (!["none", "same-origin"].includes(site) && !isLink) throw new HttpError(403, "Requests from other origins are not allowed");
  if (!api) return;
  if (request.headers[OWN_HEADER] === undefined) throw new HttpError(403, `The header ${OWN_HEADER} is missing`);
}

/**
 * Returns the headers that every response contains.
 *
 * @param {string[]} sockets the origins of the computers' channels
 * @returns {Record<string, string>}
 */
export function securityHeaders(sockets) {
  const policy = {
    "default-src": "'none'",
    // Without `wasm-unsafe-eval`, browsers do not compile WebAssembly, which the SDK needs.
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "'self'",
    "connect-src": ["'self'", ...sockets].join(" "),
    // xterm.js sets its colors and cell sizes in style elements.
    "style-src": "'self' 'unsafe-inline'",
    // The shape of the pointer over the live screen is a data URL.
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
  };
  return {
    "content-security-policy": Object.entries(policy)
      .map(([name, value]) => `${name} ${value}`)
      .join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
}
