// A bridge between TCP and a WebSocket, for programs that do not use WebSockets.
import { once } from "node:events";
import { createServer } from "node:net";
import { createWebSocketStream, WebSocket } from "ws";

/**
 * Passes the bytes of each connection to a new WebSocket, and the binary messages of the WebSocket to the connection.
 *
 * @param {string} url the URL of the WebSocket
 */
export async function startBridge(url) {
  const open = new Set();
  const server = createServer((client) => {
    const upstream = createWebSocketStream(new WebSocket(url));
    open.add(client).add(upstream);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ]) {
      from
        .on("error", () => {})
        .on("close", () => {
          open.delete(from);
          to.destroy();
        })
        .pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    async close() {
      for (const stream of open) stream.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
