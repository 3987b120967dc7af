// Records what a computer sends to a viewer of its screen, and replays it as fast as the viewer accepts it.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { until } from "../../support/wait.mjs";

const PIECE = 64 << 10;

/** The number of messages that a client sends in the handshake: the version, the security type, the response to the challenge, a flag. */
const HANDSHAKE = 4;

/** The size of each message of a client, by its type. */
const SIZES = {
  0: () => 20,
  2: (message) => 4 + 4 * message.readUInt16BE(2),
  3: () => 10,
  4: () => 8,
  5: () => 6,
  6: (message) => 8 + Math.abs(message.readInt32BE(4)),
  150: () => 10,
  248: (message) => 9 + message[8],
};

/**
 * Records a number of updates. A relay passes the messages of a client until it requests one update more, so the recording ends with
 * a complete update.
 *
 * @param {typeof import("orgo-sdk")} sdk
 * @param {import("orgo-sdk").ConnectionData} connection
 * @param {number} updates
 */
export async function record(sdk, connection, updates) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const received = [];
  let size = 0;
  /** The number of bytes of the first updates, which contain the whole screen. */
  let head;
  let isWhole = false;
  /** The number of bytes after which the client sent each message of the handshake, and the first message after it. */
  const stages = [];
  let recorded = 0;
  const complete = new Promise((resolve, reject) => {
    server.on("connection", (client, { url }) => {
      const upstream = new WebSocket(`${new URL(connection.realtime_url).origin}${url}`);
      client.on("error", reject);
      upstream.on("error", reject);
      upstream.on("message", (data) => {
        received.push(data);
        size += data.length;
        client.send(data);
      });
      client.on("close", () => upstream.close());
      client.on("message", (data) => {
        if (stages.length <= HANDSHAKE) stages.push(size);
        if (stages.length <= HANDSHAKE) {
          upstream.send(data);
          return;
        }
        for (const message of split(data)) {
          // The client requests an update after the previous one is complete.
          const isRequest = message.length === 10 && message[0] === 3;
          if (isRequest && head !== undefined) recorded += 1;
          else if (isRequest && isWhole) head = size;
          // noVNC does not accept responses to fences, because it requests none.
          const isFence = message[0] === 248 && message.readUInt32BE(4) >>> 31 === 1;
          if (isRequest && recorded === updates) resolve();
          else if (!isFence) upstream.send(message);
        }
      });
    });
  });
  const url = new URL(connection.realtime_url);
  url.port = server.address().port;
  const realtime_url = decodeURI(url.href);
  const screen = await sdk.Orgo.connect({ ...connection, realtime_url }).screen();
  const { width, height } = await screen.screenshot({ format: "rgba" });
  isWhole = true;
  await complete;
  await screen.close();
  for (const client of server.clients) client.terminate();
  server.close();
  return { bytes: Buffer.concat(received, size), stages, head, updates, width, height };
}

/** Splits what a client sends into messages. A message of a socket contains whole messages of RFB. */
function split(data) {
  const messages = [];
  for (let rest = data; rest.length > 0; rest = rest.subarray(messages.at(-1).length)) {
    messages.push(rest.subarray(0, SIZES[rest[0]](rest)));
  }
  return messages;
}

/**
 * Serves a recording. A viewer receives the first update when it connects, and the rest after a request to `url`.
 *
 * @param {Awaited<ReturnType<typeof record>>} recording
 */
export async function startReplay({ bytes, stages, head }) {
  let start;
  const server = createServer((_, response) => {
    response.writeHead(204, { "access-control-allow-origin": "*" }).end();
    start();
  });
  const sockets = new WebSocketServer({ server });
  const sent = { complete: false };
  sockets.on("connection", async (socket) => {
    sent.complete = false;
    const started = new Promise((resolve) => (start = resolve));
    socket.on("error", () => {});
    let at = 0;
    const send = (end) => {
      const piece = bytes.subarray(at, end);
      at = end;
      return new Promise((resolve) => socket.send(piece, resolve));
    };
    for (const end of stages) {
      const reply = once(socket, "message");
      await send(end);
      await reply;
    }
    await send(head);
    await started;
    while (at < bytes.length) await send(Math.min(at + PIECE, bytes.length));
    sent.complete = true;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}/`,
    /** The connection of a viewer. The password is not checked. */
    connection: {
      version: 1,
      computer_id: "replay",
      instance_id: "replay",
      realtime_url: `ws://127.0.0.1:${port}/{instance_id}/{channel}`,
      password: "replay",
    },
    /** Whether everything was passed to the operating system. */
    isSent: () => sent.complete,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    },
  };
}

/** Returns the SHA-256 of the pixels after the whole recording, as the addon decodes it. */
export async function finalHash(sdk, { bytes }, replay) {
  const screen = await sdk.Orgo.connect(replay.connection).screen();
  await fetch(replay.url);
  await until("the end of the recording", () => screen.counters.received_bytes === bytes.length, 60_000);
  const { data } = await screen.screenshot({ format: "rgba" });
  await screen.close();
  return createHash("sha256").update(data).digest("hex");
}
