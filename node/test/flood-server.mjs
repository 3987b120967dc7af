// Runs in a thread: a server whose terminal and event channels send as fast as the client reads, and whose calls succeed.
import { createServer } from "node:http";
import { parentPort } from "node:worker_threads";
import { WebSocketServer } from "ws";

const messages = {
  terminal: { type: "output", data: "x".repeat(1000) },
  events: { type: "event", event: { type: "idle", timestamp: "t", data: { idle_seconds: 30 } } },
};

const server = createServer((request, response) => {
  request.resume();
  response.end('{"success":true}');
});
new WebSocketServer({ server }).on("connection", (socket, { url }) => {
  const kind = url.match(/\/ws\/(\w+)/)[1];
  socket.on("error", () => {});
  socket.send('{"type":"pong"}');
  if (kind === "audio") return socket.send(Buffer.alloc(960));
  const message = JSON.stringify(messages[kind]);
  const more = () => {
    // The number is limited, because the client may read as fast as this loop sends.
    for (let sent = 0; sent < 500 && socket.bufferedAmount < 1 << 20; sent += 1) socket.send(message);
    if (socket.readyState === socket.OPEN) setImmediate(more);
  };
  more();
});
server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
