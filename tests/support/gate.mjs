// A TCP proxy for a server. Closing the proxy simulates that the server is unreachable; it can be opened again. Requests that match
// a pattern can be refused.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { binaryMessages } from "./frames.mjs";

/**
 * @param {string} origin the origin of the server
 * @param {(payload: Buffer) => void} [onMessage] receives each binary WebSocket message of a client
 * @returns {Promise<{ port: number, passed(): number, through(url: string): string, refuse(pattern?: RegExp): void,
 *   drop(pattern: RegExp): void, close(): Promise<void>, open(): Promise<void> }>}
 */
export async function startGate(origin, onMessage) {
  const { hostname, port: target } = new URL(origin);
  const sockets = new Set();
  /** The first line of the first request of each connection. */
  const requests = new Map();
  let passed = 0;
  let refused;
  const server = createServer((client) => {
    client.on("data", ({ length }) => (passed += length));
    if (onMessage) client.on("data", binaryMessages(onMessage));
    client.once("data", (data) => {
      const [request] = data.toString("latin1").split("\r\n");
      requests.set(client, request);
      if (refused?.test(request)) client.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
    const upstream = connect(Number(target), hostname);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      sockets.add(one);
      one
        .on("error", () => {})
        .on("close", () => {
          sockets.delete(one);
          requests.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
  });
  const listen = async (port) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const { port } = server.address();
  return {
    port,
    /** Returns the number of bytes from clients. */
    passed: () => passed,
    /** Returns a URL of the server with the address of the gate. Placeholders such as `{id}` are preserved. */
    through: (url) => url.replace(`${hostname}:${target}`, `127.0.0.1:${port}`),
    /** Responds with 404 to new connections whose first request matches. Without a pattern, refuses none. */
    refuse: (pattern) => {
      refused = pattern;
    },
    /** Ends the connections whose first request matches. */
    drop: (pattern) => {
      for (const [client, request] of requests) if (pattern.test(request)) client.destroy();
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    open: () => listen(port),
  };
}
