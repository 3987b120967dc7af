// A service that fails in different modes. A path begins with the mode and the run: `/hang/7/api/computers/c`.
// `/counts/7` returns the numbers of requests and sockets of run 7.
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

/** The delay of the mode `delayed`, in milliseconds. */
const DELAY = 500;

const json =
  (status, body, headers = {}) =>
  (response) => {
    response.writeHead(status, { ...CORS, "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };

/** The request handler of each mode. */
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
  slow: (response, { counts }) =>
    json(429, { error: "slow down", request_id: "req_1" }, { "retry-after": counts.requests === 1 ? "0" : "3600" })(response),
  /** Responds to the first request after a delay, and to no other request. */
  delayed(response, { counts }) {
    if (counts.requests === 1) setTimeout(json(200, { id: "c", workspace_id: "w" }), DELAY, response);
  },
  /** Reads the request only after `/resume` was requested, then responds. */
  paused(response, { counts, request }) {
    request.once("end", () => json(200, { file: { id: "f" } })(response));
    // `/resume` may arrive first, because it uses another connection.
    if (counts.resumed) return;
    request.pause();
    counts.resume = () => request.resume();
  },
  /** Like `paused`, but then reads slowly, so that a large request is not complete before the client could end it. */
  slowly(response, { counts, request }) {
    request.on("data", () => {
      request.pause();
      setTimeout(() => request.resume(), 10);
    });
    requests.paused(response, { counts, request });
  },
  /** Responds with the error page of a proxy. The page contains the API key. */
  page(response, { headers }) {
    response.writeHead(502, { ...CORS, "content-type": "text/html" });
    response.end(`<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>${headers.authorization}</body></html>`);
  },
  text(response, { headers }) {
    response.writeHead(503, { ...CORS, "content-type": "text/plain" });
    response.end(`no healthy upstream for ${headers.authorization} ${"x".repeat(10_000)}`);
  },
  /** Redirects the first request, and accepts the later requests. */
  redirect(response, { request, counts }) {
    if (counts.requests > 1) return json(200, { success: true, id: "c" })(response);
    const status = { POST: 302, DELETE: 303 }[request.method] ?? 307;
    response.writeHead(status, { ...CORS, location: `${request.url}/elsewhere` }).end();
  },
  /** Redirects to another origin, and counts the requests there that contain the key or a header of the caller. */
  leave(response, { request, headers, counts }) {
    const [host, port] = headers.host.split(":");
    if (host === "localhost") {
      if (headers.authorization !== undefined || headers["x-tenant"] !== undefined) counts.leaks += 1;
      return json(200, { id: "c" })(response);
    }
    response.writeHead(307, { ...CORS, location: `http://localhost:${port}${request.url}` }).end();
  },
  unauthorized: json(401, { error: "Missing API key", request_id: "req_1" }),
};

/** The socket handler of each mode. It is called when the socket is open. */
const sockets = {
  /** Replies to pings, and echoes the input. */
  echo: (socket) =>
    socket.on("message", (message) => {
      const { type, data } = JSON.parse(message);
      if (type === "ping") socket.send('{"type":"pong"}');
      if (type === "input") socket.send(JSON.stringify({ type: "output", data }));
    }),
  mute: () => {},
  /** Disconnects at the first input, and then accepts no further connections. */
  fragile: (socket) =>
    socket.on("message", (message) => {
      if (JSON.parse(message).type === "input") socket.terminate();
      else socket.send('{"type":"pong"}');
    }),
  /** Sends an error message before it closes. */
  invalid(socket, url) {
    const { searchParams } = new URL(url, "ws://h");
    const message = `sample_rate ${searchParams.get("sample_rate")} is not supported (token ${searchParams.get("token")})`;
    socket.send(JSON.stringify({ type: "error", message: `${message} ${"y".repeat(10_000)}` }));
    socket.close(4500, "the channel could not be opened");
  },
  /** Accepts only the password `new`. */
  guarded(socket, url) {
    if (!url.includes("token=new")) return socket.close(4401, "no");
    sockets.echo(socket);
  },
};

/** @returns {Promise<{ url: string, deadUrl: string, close(): Promise<void> }>} the server's URL, and a URL without a server */
export async function startLimitsServer() {
  const runs = new Map();
  const countsOf = (run) => {
    if (!runs.has(run)) runs.set(run, { requests: 0, aborted: 0, sockets: 0, closed: 0, leaks: 0 });
    return runs.get(run);
  };
  const http = createServer((request, response) => {
    const [, mode, run] = request.url.split("/");
    if (request.method === "OPTIONS") return response.writeHead(204, CORS).end();
    if (mode === "counts") return json(200, countsOf(run))(response);
    if (mode === "resume") {
      const counts = countsOf(run);
      counts.resumed = true;
      counts.resume?.();
      return json(200, {})(response);
    }
    const counts = countsOf(run);
    counts.requests += 1;
    // Node detects the end of a request only if the request is read.
    request.resume();
    response.once("close", () => (counts.aborted += response.writableFinished ? 0 : 1));
    requests[mode](response, { request, headers: request.headers, run, counts });
  });
  // A long timeout, because the server must not close an idle connection at the moment when the client reuses it.
  http.keepAliveTimeout = 60_000;
  const upgrades = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, stream, head) => {
    const [, mode, run] = request.url.split("/");
    const counts = countsOf(run);
    counts.sockets += 1;
    stream.once("close", () => (counts.closed += 1));
    stream.on("error", () => {});
    if (mode === "hang" || (mode === "fragile" && counts.sockets > 1)) return stream.resume().on("end", () => stream.end());
    upgrades.handleUpgrade(request, stream, head, (socket) => sockets[mode](socket, request.url));
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    deadUrl: `http://127.0.0.1:${await freePort()}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of upgrades.clients) socket.terminate();
        http.close(resolve);
        http.closeAllConnections();
      }),
  };
}
