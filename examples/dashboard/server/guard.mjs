/** The header of the page's own calls. Another page cannot send it: its browser asks first, and gets no permission. */
const OWN_HEADER = "x-orgo-dashboard";

/** A request that is not answered. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {string} [name] by which the page recognizes the refusal
   */
  constructor(status, message, name = "Refused") {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** A request without this start's key or cookie. */
export class KeyRequired extends Refused {
  constructor() {
    super(403, "The key is missing or wrong: open the address that `npm start` printed", "KeyRequired");
  }
}

/**
 * Refuses the pages of other sites. A page of another site that resolves its name to this machine has a foreign
 * Host; a page of another port of this machine has a foreign Origin, or lacks the header. Browsers also report who
 * started a request in `Sec-Fetch-Site`. Another site may only link to the page.
 *
 * @param {import("node:http").IncomingMessage} request
 * @param {number} port the port of this server
 * @param {boolean} api whether the request is for the API, not for a file of the page
 * @throws {Refused}
 */
export function admit(request, port, api) {
  const { host, origin } = request.headers;
  const names = ["127.0.0.1", "localhost"].map((name) => new URL(`http://${name}:${port}`).host);
  if (host === undefined || !names.includes(host)) {
    throw new Refused(421, "This server answers only as 127.0.0.1 and localhost");
  }
  if (origin !== undefined && origin !== `http://${host}`) throw new Refused(403, "Other pages are not answered");
  const { "sec-fetch-site": site = "none", "sec-fetch-mode": mode } = request.headers;
  const isLink = mode === "navigate" && !api;
  if (!["none", "same-origin"].includes(site) && !isLink) throw new Refused(403, "Other pages are not answered");
  if (!api) return;
  if (request.headers[OWN_HEADER] === undefined) throw new Refused(403, `The header ${OWN_HEADER} is missing`);
}

/**
 * The header fields of every answer.
 *
 * @param {string[]} sockets the origins of the computers' channels
 * @returns {Record<string, string>}
 */
export function securityHeaders(sockets) {
  const policy = {
    "default-src": "'none'",
    // The SDK is WebAssembly, which a browser compiles only with this permission.
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "'self'",
    "connect-src": ["'self'", ...sockets].join(" "),
    // xterm.js writes its colours and cell sizes into style elements.
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self'",
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
