// A minimal service. It responds immediately, accepts every channel, and floods a terminal on request.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const COMPUTER = JSON.stringify({ id: "c", name: "c", status: "running", instance_id: "i" });
const FIRST = { audio: JSON.stringify({ type: "started", sample_rate: 24_000, channels: 1 }) };
const PONG = JSON.stringify({ type: "pong" });
const FLOOD = JSON.stringify({ type: "output", data: "x".repeat(16 << 10) });

/**
 * @returns {Promise<{ port: number, open(): number, flooded(): { sent: number, held: number }, close(): Promise<void>
 * }>}
 */
export async function startServer() {
  const http = createServer((_, response) => {
    response.writeHead(200, {
      "content-type": "application/json",
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "*",
      "access-control-max-age": "7200",
    });
    response.end(COMPUTER);
  });
  http.keepAliveTimeout = 60_000;
  const sockets = new WebSocketServer({ server: http });
  const flood = { sent: 0, held: 0 };
  sockets.on("connection", (socket, { url }) => {
    const channel = new URL(url, "http://server").pathname.split("/").at(-1);
    if (FIRST[channel]) socket.send(FIRST[channel]);
    socket.on("message", (message) => {
      const { type, data } = JSON.parse(message);
      if (type === "ping") socket.send(PONG);
      if (type === "input" && data === "flood") sendFlood(socket, flood);
    });
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    port: http.address().port,
    open: () => sockets.clients.size,
    flooded: () => flood,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets.clients) socket.terminate();
        http.close(resolve);
        http.closeAllConnections();
      }),
  };
}

/** Sends endless output as fast as the client accepts it, and counts the sent and the buffered bytes. */
function sendFlood(socket, flood) {
  const timer = setInterval(() => {
    while (socket.bufferedAmount < 1 << 20) {
      socket.send(FLOOD);
      flood.sent += FLOOD.length;
    }
    flood.held = socket.bufferedAmount;
  }, 5);
  socket.on("close", () => clearInterval(timer));
}
