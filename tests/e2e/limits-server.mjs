// A service that does not do what it is asked. How it fails is the first part of a path, for whom it is counted the second:
// `/hang/7/api/computers/c`. What it saw for a run is at `/seen/7`.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { freePort } from "../support/receiver.mjs";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "*",
  "access-control-allow-methods": "GET, POST, DELETE",
  "access-control-expose-headers": "*",
  "access-control-max-age": "7200",
};

/** How long a slow answer takes, in milliseconds. */
const SLOWLY = 500;

const json =
  (status, body, headers = {}) =>
  (response) => {
    response.writeHead(status, { ...CORS, "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };

/** What is done with a request, by the first part of its path. */
const requests = {
  hang: () => {},
  stall(response) {
    response.writeHead(200, { ...CORS, "content-type": "application/json" });
    response.write("{");
  },
  running: json(200, { id: "c", status: "running", connection_url: "http://127.0.0.1:1", password: "new" }),
  starting: json(200, { id: "c", status: "starting" }),
  later: json(503, { error: "busy", request_id: "req_1" }, { "retry-after": "30" }),
  soon: json(503, { error: "busy", request_id: "req_1" }),
  linked: (response, { headers, run }) => json(200, { url: `http://${headers.host}/stall/${run}/content` })(response),
  slow: (response, { seen }) =>
    json(429, { error: "slow down", request_id: "req_1" }, { "retry-after": seen.requests === 1 ? "0" : "3600" })(response),
  /** Answers the first request after a while, and no other. */
  slowly(response, { seen }) {
    if (seen.requests === 1) setTimeout(json(200, { id: "c", workspace_id: "w" }), SLOWLY, response);
  },
  /** Reads nothing of the request before `/drink` is asked for, then all of it, and answers. */
  thirsty(response, { seen, request }) {
    request.pause();
    request.once("end", () => json(200, { file: { id: "f" } })(response));
    seen.drink = () => request.resume();
  },
  /** A proxy on the way has nobody to ask; its page shows the key. */
  page(response, { headers }) {
    response.writeHead(502, { ...CORS, "content-type": "text/html" });
    response.end(`<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>${headers.authorization}</body></html>`);
  },
  text(response, { headers }) {
    response.writeHead(503, { ...CORS, "content-type": "text/plain" });
    response.end(`no healthy upstream for ${headers.authorization} ${"x".repeat(10_000)}`);
  },
  /** Redirects the first request, and says yes to what follows it. */
  moved(response, { request, seen }) {
    if (seen.requests > 1) return json(200, { success: true, id: "c" })(response);
    const status = { POST: 302, DELETE: 303 }[request.method] ?? 307;
    response.writeHead(status, { ...CORS, location: `${request.url}/elsewhere` }).end();
  },
  keyless: json(401, { error: "Missing API key", request_id: "req_1" }),
};

/** What is done with a socket that was opened, by the first part of its path. */
const sockets = {
  /** Answers pings, and says what is typed. */
  echo: (socket) =>
    socket.on("message", (message) => {
      const { type, data } = JSON.parse(message);
      if (type === "ping") socket.send('{"type":"pong"}');
      if (type === "input") socket.send(JSON.stringify({ type: "output", data }));
    }),
  mute: () => {},
  /** Breaks at the first thing that is typed, and is not there again. */
  fragile: (socket) =>
    socket.on("message", (message) => {
      if (JSON.parse(message).type === "input") socket.terminate();
      else socket.send('{"type":"pong"}');
    }),
  /** Says what it does not like before it closes. */
  dislikes(socket, url) {
    const { searchParams } = new URL(url, "ws://h");
    const message = `sample_rate ${searchParams.get("sample_rate")} is not supported (token ${searchParams.get("token")})`;
    socket.send(JSON.stringify({ type: "error", message: `${message} ${"y".repeat(10_000)}` }));
    socket.close(4500, "the channel could not be opened");
  },
  /** The password has become `new`. */
  guarded(socket, url) {
    if (!url.includes("token=new")) return socket.close(4401, "no");
    sockets.echo(socket);
  },
};

/** @returns {Promise<{ url: string, nowhere: string, close(): Promise<void> }>} its URL, and one where nobody listens */
export async function startLimitsServer() {
  const runs = new Map();
  const seenBy = (run) => {
    if (!runs.has(run)) runs.set(run, { requests: 0, given_up: 0, sockets: 0, closed: 0 });
    return runs.get(run);
  };
  const http = createServer((request, response) => {
    const [, way, run] = request.url.split("/");
    if (request.method === "OPTIONS") return response.writeHead(204, CORS).end();
    if (way === "seen") return json(200, seenBy(run))(response);
    if (way === "drink") {
      seenBy(run).drink();
      return json(200, {})(response);
    }
    const seen = seenBy(run);
    seen.requests += 1;
    // What is not read shows no end.
    request.resume();
    response.once("close", () => (seen.given_up += response.writableFinished ? 0 : 1));
    requests[way](response, { request, headers: request.headers, run, seen });
  });
  // An idle connection that it closes just when it is used again would be one fault more.
  http.keepAliveTimeout = 60_000;
  const upgrades = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, stream, head) => {
    const [, way, run] = request.url.split("/");
    const seen = seenBy(run);
    seen.sockets += 1;
    stream.once("close", () => (seen.closed += 1));
    stream.on("error", () => {});
    if (way === "hang" || (way === "fragile" && seen.sockets > 1)) return stream.resume().on("end", () => stream.end());
    upgrades.handleUpgrade(request, stream, head, (socket) => sockets[way](socket, request.url));
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    nowhere: `http://127.0.0.1:${await freePort()}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of upgrades.clients) socket.terminate();
        http.close(resolve);
        http.closeAllConnections();
      }),
  };
}
