// A server that does what a fault says, and counts what reaches it.
import { once } from "node:events";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { head, parse } from "./wire.mjs";

/** No connection of this machine begins at this address, so a port that is free there stays free. */
const QUIET_HOST = "127.0.0.2";
const reserved = new Set();

/** One pixel. */
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const CONTENT = "/content";

/** What lets a page make every request and read every header of the answer. */
const OPEN_TO_PAGES = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "accept, authorization, content-type",
  "access-control-allow-methods": "GET, POST, DELETE",
  "access-control-expose-headers": "date, retry-after, x-request-id",
};

/** An answer that every call can read. */
function good(link) {
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
    image: link ?? PICTURE.toString("base64"),
  });
}

/**
 * @typedef {object} Place
 * @property {string} url where it is, without a path
 * @property {() => number} received how many requests of the call arrived whole
 * @property {() => Promise<void>} mend the client is about to try again: what kept connections from coming about is over
 *   then, unless the fault lasts
 * @property {() => Promise<void>} close
 */

/**
 * Opens a place for one call.
 *
 * @param {import("./faults.mjs").Fault} fault an empty one does nothing
 * @param {object} [options]
 * @param {boolean} [options.lasts] whether the fault meets more than the first try
 * @param {string} [options.link] a link to put into the answers
 * @param {boolean} [options.followed] whether the fault is for the content of a link, not for the call
 * @param {{ known: object, stranger: object }} [options.certificates] one that clients trust and one that they do not
 * @returns {Promise<Place>}
 */
export async function openPlace(fault, { lasts = true, link, followed = false, certificates } = {}) {
  const sockets = new Set();
  let over = Object.keys(fault).length === 0;
  let received = 0;

  function serve(socket) {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // Clients reset connections too, when they give up.
    socket.on("error", () => {});
    if (fault.resets === "immediately" && !over) return socket.resetAndDestroy();
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (socket.writable && bytes.length > 0) {
        const request = parse(bytes);
        if (request === undefined || !take(socket, request)) return;
        bytes = request.rest;
      }
    });
  }

  /** Takes a request, unless there is more of it to come. */
  function take(socket, { method, path, rest }) {
    const meant = method !== "OPTIONS" && (followed ? path === CONTENT : /^\/api\/(?!computers\/warm$)/.test(path));
    const fails = meant && !over;
    if (fails && fault.resets === "during the request") {
      over = !lasts;
      socket.resetAndDestroy();
      return false;
    }
    if (rest === undefined) return false;
    if (meant) received += 1;
    if (fails) {
      over = !lasts;
      fail(socket);
    } else if (method === "OPTIONS") {
      answer(socket, { status: 204, body: "" });
    } else {
      answer(socket, { status: 200, body: path === CONTENT ? PICTURE : good(link) });
    }
    return true;
  }

  function fail(socket) {
    if (fault.resets === "after the request") {
      socket.resetAndDestroy();
    } else if (fault.cut !== undefined) {
      const body = good(link);
      const length = fault.cut === "length" ? { "content-length": body.length } : {};
      socket.write(head(200, { ...OPEN_TO_PAGES, connection: "close", ...length }));
      socket.end(body.slice(0, body.length / 2));
    } else if (fault.responds !== undefined) {
      answer(socket, fault.responds({ date: new Date() }));
    }
  }

  /** Unless a fault is about that, no connection serves two requests: browsers treat the second one in another way. */
  function answer(socket, { status, headers, body }) {
    const connection = fault.reused ? "keep-alive" : "close";
    const length = { "content-length": Buffer.byteLength(body) };
    socket.write(head(status, { ...OPEN_TO_PAGES, connection, ...length, ...headers }));
    socket.write(body);
    if (!fault.reused) socket.end();
  }

  const server = fault.place === "stranger" ? createTlsServer(certificates.stranger, serve) : createServer(serve);
  const { url, port } = await settle(server, fault.place);
  return {
    url,
    received: () => received,
    async mend() {
      if (lasts || over || (fault.place === undefined && fault.resets !== "immediately")) return;
      over = true;
      if (fault.place === "stranger") server.setSecureContext(certificates.known);
      if (fault.place === "closed") await listen(server, port, QUIET_HOST);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
      reserved.delete(port);
    },
  };
}

/** Finds a server its address, and lets it listen there unless it is not to be found. */
async function settle(server, place) {
  switch (place) {
    case "nowhere":
      return { url: "http://fault.invalid" };
    case "closed": {
      const port = await reservePort();
      return { url: `http://${QUIET_HOST}:${port}`, port };
    }
    default: {
      const port = await listen(server, 0, "127.0.0.1");
      return { url: place === "stranger" ? `https://localhost:${port}` : `http://127.0.0.1:${port}`, port };
    }
  }
}

async function listen(server, port, host) {
  server.listen(port, host);
  await once(server, "listening");
  return server.address().port;
}

/** A port on which nobody listens, and that is given to nobody else. */
async function reservePort() {
  for (;;) {
    const server = createServer();
    const port = await listen(server, 0, QUIET_HOST);
    await new Promise((resolve) => server.close(resolve));
    if (reserved.has(port)) continue;
    reserved.add(port);
    return port;
  }
}
