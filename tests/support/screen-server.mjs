// A server of live screens that sends what a test tells it to send.
import { WebSocketServer } from "ws";

const VERSION = Buffer.from("RFB 003.008\n");
/** The only security type is `None`. */
const SECURITY = Buffer.from([1, 1]);
const ACCEPTED = Buffer.alloc(4);

const u16 = (...values) => Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));

/** Returns a message with an update of rectangles. */
export const update = (...rects) => Buffer.concat([Buffer.from([0, 0]), u16(rects.length), ...rects]);

/** Returns the rectangle that changes the size of the screen. */
export const size = (width, height) => Buffer.concat([u16(0, 0, width, height), Buffer.from([0xff, 0xff, 0xff, 0x21])]);

/** Returns a rectangle of raw pixels with one byte value. */
export const raw = (width, height, value) =>
  Buffer.concat([u16(0, 0, width, height, 0, 0), Buffer.alloc(width * height * 4, value)]);

/** Returns a rectangle whose pixels are those at the top left corner. */
const copy = (y, width, height) => u16(0, y, width, height, 0, 1, 0, 0);

/** Returns rectangles that make the upper rows of a screen white, and then copy them to the lower rows, so that the message is small. */
function white(width, height) {
  const rows = Math.min(Math.ceil(height / 2), 1000);
  return [raw(width, rows, 0xff), copy(rows, width, Math.min(height - rows, rows))];
}

/** Returns a message of `count` bytes, in which each byte rings the bell. */
export const bells = (count) => Buffer.alloc(count, 2);

/** Starts a server whose screens have this size, and are white. */
export async function startScreenServer() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => server.once("listening", resolve));
  const self = {
    url: `ws://127.0.0.1:${server.address().port}/{channel}`,
    width: 64,
    height: 48,
    /** The connections, the newest last. */
    sockets: [],
    /** Sends a message to the newest connection. */
    send: (message) => self.sockets.at(-1).send(message),
    async close() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("connection", (socket) => {
    self.sockets.push(socket);
    const init = Buffer.concat([u16(self.width, self.height), Buffer.alloc(20)]);
    const responses = [SECURITY, ACCEPTED, init];
    socket.send(VERSION);
    socket.on("message", () => {
      const response = responses.shift();
      if (response !== undefined) socket.send(response);
      if (response === init) socket.send(update(...white(self.width, self.height)));
    });
  });
  return self;
}
