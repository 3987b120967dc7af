// A server that causes a fault and counts the requests.
import { once } from "node:events";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { head, parse } from "./http.mjs";

/** A loopback address that outgoing connections do not use, so that unused ports of this address stay unused. */
const UNUSED_HOST = "127.0.0.2";
const reserved = new Set();

/** A PNG with one pixel. */
const IMAGE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const CONTENT = "/content";

/** The CORS headers that allow pages to make every request and to read the headers of the response. */
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "accept, authorization, content-type",
  "access-control-allow-methods": "GET, POST, DELETE",
  "access-control-expose-headers": "date, retry-after, x-request-id",
};

/** Returns a body that is a valid response body for every call. */
function validBody(link) {
  return JSON.stringify({
    id: "i",
    name: "n",
    password: "p",
    output: "",
    exit_code: 0,
    status: "idle",
    success: true,
    workspaces: [],
    files: [],
    file: { id: "f" },
    url: link ?? CONTENT,
    image: link ?? IMAGE.toString("base64"),
  });
}

/**
 * @typedef {object} FaultServer
 * @property {string} url the URL without a path
 * @property {() => number} received returns the number of complete requests of the call
 * @property {() => Promise<void>} onRetry ends a transient fault that prevents connections; must be called before each retry
 * @property {() => Promise<void>} close
 */

/**
 * Starts a server for one call.
 *
 * @param {import("./faults.mjs").Fault} fault the fault to cause; an empty object causes no fault
 * @param {object} [options]
 * @param {boolean} [options.persistent] whether the fault affects every attempt; otherwise, it affects only the first attempt
 * @param {string} [options.link] the link in the responses
 * @param {boolean} [options.followed] whether the fault affects the request for the content of a link, not the call
 * @param {{ trusted: object, untrusted: object }} [options.certificates] a certificate that clients trust, and one
 *   that they do not trust
 * @returns {Promise<FaultServer>}
 */
export async function startFaultServer(fault, { persistent = true, link, followed = false, certificates } = {}) {
  const sockets = new Set();
  let over = Object.keys(fault).length === 0;
  let received = 0;

  function serve(socket) {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // Clients also reset connections when they abort a request.
    socket.on("error", () => {});
    if (fault.resets === "immediately" && !over) return socket.resetAndDestroy();
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (socket.writable && bytes.length > 0) {
        const request = parse(bytes);
        if (request === undefined || !handle(socket, request)) return;
        bytes = request.rest;
      }
    });
  }

  /** Handles a request. Returns false if the request is incomplete or the connection is reset. */
  function handle(socket, { method, path, rest }) {
    const counts = method !== "OPTIONS" && (followed ? path === CONTENT : /^\/api\/(?!computers\/warm$)/.test(path));
    const fails = counts && !over;
    if (fails && fault.resets === "during the request") {
      over = !persistent;
      socket.resetAndDestroy();
      return false;
    }
    if (rest === undefined) return false;
    if (counts) received += 1;
    if (fails) {
      over = !persistent;
      fail(socket);
    } else if (method === "OPTIONS") {
      respond(socket, { status: 204, body: "" });
    } else {
      respond(socket, { status: 200, body: path === CONTENT ? IMAGE : validBody(link) });
    }
    return true;
  }

  function fail(socket) {
    if (fault.resets === "after the request") {
      socket.resetAndDestroy();
    } else if (fault.cut !== undefined) {
      const body = validBody(link);
      const length = fault.cut === "length" ? { "content-length": body.length } : {};
      socket.write(head(200, { ...CORS, connection: "close", ...length }));
      socket.end(body.slice(0, body.length / 2));
    } else if (fault.responds !== undefined) {
      respond(socket, fault.responds({ date: new Date() }));
    }
  }

  /**
   * Sends a response. Closes the connection unless the fault needs a reused connection, because browsers handle
   * failures on reused connections differently.
   */
  function respond(socket, { status, headers, body }) {
    const connection = fault.reused ? "keep-alive" : "close";
    const length = { "content-length": Buffer.byteLength(body) };
    socket.write(head(status, { ...CORS, connection, ...length, ...headers }));
    socket.write(body);
    if (!fault.reused) socket.end();
  }

  const server = fault.connect === "untrusted" ? createTlsServer(certificates.untrusted, serve) : createServer(serve);
  const { url, port } = await bind(server, fault.connect);
  return {
    url,
    received: () => received,
    async onRetry() {
      if (persistent || over || (fault.connect === undefined && fault.resets !== "immediately")) return;
      over = true;
      if (fault.connect === "untrusted") server.setSecureContext(certificates.trusted);
      if (fault.connect === "refused") await listen(server, port, UNUSED_HOST);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
      reserved.delete(port);
    },
  };
}

/** Lets the server listen, unless clients must not reach it. Returns the URL for clients. */
async function bind(server, connect) {
  switch (connect) {
    case "unknown host":
      return { url: "http://fault.invalid" };
    case "refused": {
      const port = await reservePort();
      return { url: `http://${UNUSED_HOST}:${port}`, port };
    }
    default: {
      const port = await listen(server, 0, "127.0.0.1");
      return { url: connect === "untrusted" ? `https://localhost:${port}` : `http://127.0.0.1:${port}`, port };
    }
  }
}

async function listen(server, port, host) {
  server.listen(port, host);
  await once(server, "listening");
  return server.address().port;
}

/** Reserves an unused port, so that this function does not return it again. Returns the port. */
async function reservePort() {
  for (;;) {
    const server = createServer();
    const port = await listen(server, 0, UNUSED_HOST);
    await new Promise((resolve) => server.close(resolve));
    if (reserved.has(port)) continue;
    reserved.add(port);
    return port;
  }
}
