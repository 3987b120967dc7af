// A service that fails in different modes. A path begins with the mode: `/refuse-404/api/computers/c`.
import { once } from "node:events";
import { createServer } from "node:http";
import { pipeline, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { WebSocketServer } from "ws";

const OPEN_TO_PAGES = { "access-control-allow-origin": "*", "access-control-allow-headers": "accept, authorization" };
/** The number of bytes of output to send. It exceeds the number of bytes that a client buffers for a reader. */
const FLOOD = 72 << 20;
const FLOOD_MESSAGE = JSON.stringify({ type: "output", data: "x".repeat(64 << 10) });

/** A message that exceeds the maximum message size of every client by one byte. */
const HUGE = " ".repeat((16 << 20) + 1);
/** A body that compresses to about a thousandth of its size. */
const BOMB = Buffer.alloc(1 << 20, " ");
/** Text with control characters that clear the screen of a terminal, set its title and reverse text. */
export const CONTROLS = "a\u001b[2J\u001b]0;t\u0007\r\n\u009b\u202e\u2028z";

/** Sends a body until the client closes the connection. */
function endless(response, status) {
  response.writeHead(status, OPEN_TO_PAGES);
  const piece = Buffer.alloc(1 << 20, " ");
  const pieces = function* () {
    for (;;) yield piece;
  };
  pipeline(Readable.from(pieces()), response, () => {});
}

const json = (response, status, body) => {
  response.writeHead(status, { ...OPEN_TO_PAGES, "content-type": "application/json" });
  response.end(JSON.stringify(body));
};

const computers = (...rams) => rams.map((ram, index) => ({ id: `c${index}`, ram }));

const requests = {
  good: (response) => json(response, 200, { id: "c" }),
  empty: (response) => json(response, 200, {}),
  broken: (response) => json(response, 200, { id: "c", status: "error" }),
  misfit: (response) => json(response, 200, { id: "w", name: "w", desktops: computers(4, 8, 16, "four") }),
  long: (response) => json(response, 200, { id: 7, rest: "é".repeat(100_000) }),
  text: (response) => response.writeHead(200, OPEN_TO_PAGES).end("<html>Sign in</html>"),
  "silent-refusal": (response) => response.writeHead(418, OPEN_TO_PAGES).end(),
  refuse(response, status) {
    const details = { request_id: "req_1", code: "some_code", upstream_status: 409, retry_after: 2.5 };
    json(response, Number(status), { error: `refused with ${status}`, ...details });
  },
  /** Returns the content of an uploaded file as the id of the file. */
  async mirror(response, _, request) {
    const chunks = await request.toArray();
    const [, content] = /filename="f"\r\n.*?\r\n\r\n(.*?)\r\n--/s.exec(Buffer.concat(chunks).toString("latin1"));
    json(response, 200, { file: { id: content } });
  },
  bomb(response, _, request) {
    const compressed = request.headers["accept-encoding"]?.includes("gzip");
    response.writeHead(200, { ...OPEN_TO_PAGES, ...(compressed && { "content-encoding": "gzip" }) });
    response.end(compressed ? gzipSync(BOMB) : BOMB);
  },
  /** Announces a large body by `content-length`, and sends only the first byte. */
  announced(response) {
    // Without a content type, a browser delays the response until it has enough data to guess the type.
    response.writeHead(200, { ...OPEN_TO_PAGES, "content-type": "application/json", "content-length": 1e9 });
    response.write(" ");
  },
  endless: (response) => endless(response, 200),
  "endless-refusal": (response) => endless(response, 418),
  controls: (response) => json(response, 418, { error: CONTROLS, code: CONTROLS, request_id: CONTROLS }),
  reset: (response) => response.socket.resetAndDestroy(),
  hang: () => {},
  stall(response) {
    response.writeHead(200, OPEN_TO_PAGES);
    response.write("{");
  },
  /** Announces a small body, which a page reads in one step, and sends only the first byte. */
  "stall-small"(response) {
    response.writeHead(200, { ...OPEN_TO_PAGES, "content-type": "application/json", "content-length": 16 });
    response.write("{");
  },
};

const sockets = {
  echo: () => {},
  close: (socket, code) => socket.close(Number(code), "test"),
  /** Closes after the response to the first ping. */
  leave: (socket) => socket.once("message", () => socket.close(1000, "test")),
  huge: (socket) => socket.send(HUGE),
  rude: (socket) => socket.close(4008, CONTROLS),
  exit: (socket) => socket.send(JSON.stringify({ type: "exit", code: 3 })),
  flood(socket) {
    for (let sent = 0; sent < FLOOD; sent += FLOOD_MESSAGE.length) socket.send(FLOOD_MESSAGE);
  },
};

/** @returns {Promise<{ url: string, close(): Promise<void> }>} */
export async function startRefuser() {
  const mode = ({ url }) => /^\/(refuse|close)-(\d+)\//.exec(url)?.slice(1) ?? [url.split("/")[1]];
  const server = createServer((request, response) => {
    if (request.method === "OPTIONS") return response.writeHead(204, OPEN_TO_PAGES).end();
    const [name, argument] = mode(request);
    requests[name](response, argument, request);
  });
  // A long timeout, because the server must not close an idle connection at the moment when the client reuses it.
  server.keepAliveTimeout = 60_000;
  const upgrades = new WebSocketServer({ noServer: true });
  const streams = new Set();
  server.on("upgrade", (request, stream, head) => {
    const [name, argument] = mode(request);
    streams.add(stream);
    stream.on("close", () => streams.delete(stream)).on("error", () => {});
    // The close of a socket is only detected if the socket is read.
    if (name === "hang") return stream.resume();
    upgrades.handleUpgrade(request, stream, head, (socket) => {
      socket.on("message", (message) => {
        if (JSON.parse(message).type === "ping") socket.send('{"type":"pong"}');
      });
      sockets[name](socket, argument);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      for (const stream of streams) stream.destroy();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
