// A computer's sound as a test wants it: real sockets, frames by the clock, and a network between that can be bad.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const [TEXT, BINARY, CLOSE] = [1, 2, 8];

/** The length of a frame of sound, in seconds. */
export const FRAME = 0.02;

/**
 * What frame number `frame` sounds like: one value for all of its samples, so that whoever hears it knows when it was
 * sent.
 */
export const numbered = (frame) => ((frame % 1000) + 1) * 32;
/** The number of a frame, up to its thousands, by the value from -1 to 1 that is heard. */
export const numberOf = (value) => Math.round((value * 32_768) / 32) - 1;

/**
 * @typedef {object} Line what is sent and how it travels
 * @property {number} [rate]
 * @property {number} [channels]
 * @property {number} [ppm] how much too fast the sender's clock is, in millionths
 * @property {(frame: number, sample: number, rate: number) => number} [sample] a sample of 16 bits, by default the
 *   frame's number
 * @property {(frame: number) => number} [delay] how late a frame is, in seconds; they do not overtake each other
 * @property {[number, number]} [down] from when to when every connection is broken, in seconds
 * @property {boolean} [patient] whether its clock stands still while this process is too busy to send, so that
 *   frames never pile up
 */

/** Sends the same frames to everybody who connects. */
export async function startAudioServer(/** @type {Line} */ line = {}) {
  const { ppm = 0, sample = numbered } = line;
  let { rate = 24_000, channels = 1 } = line;
  const { delay = () => 0, down = [Infinity, Infinity], patient = false } = line;
  const pace = (FRAME * 1000) / (1 + ppm / 1e6);
  const sockets = new Set();
  const began = Date.now();
  let stood = 0;
  const sentAt = (frame) => began + stood + (frame + 1) * pace;
  const started = () => message(TEXT, Buffer.from(JSON.stringify({ type: "started", sample_rate: rate, channels })));
  const isDown = () => Date.now() >= began + down[0] * 1000 && Date.now() < began + down[1] * 1000;

  const server = createServer((_, response) => response.writeHead(404).end());
  server.on("upgrade", (request, socket) => {
    if (isDown()) {
      socket.destroy();
      return;
    }
    const accept = createHash("sha1")
      .update(request.headers["sec-websocket-key"] + GUID)
      .digest("base64");
    const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.write([...head, `Sec-WebSocket-Accept: ${accept}`, "", ""].join("\r\n"));
    socket.setNoDelay(true);
    socket.write(started());
    // Only its length is looked at: a client sends pings, and at the end a stop and a close.
    socket.on("data", (bytes) => {
      if ((bytes[0] & 15) === CLOSE) socket.end(message(CLOSE, Buffer.from([0x03, 0xe8])));
      else socket.write(message(TEXT, Buffer.from('{"type":"pong"}')));
    });
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    sockets.add(socket);
  });

  let [next, latest, timer] = [0, 0, undefined];
  const queue = [];
  const work = () => {
    const now = Date.now();
    if (patient) stood += Math.max(0, now - sentAt(next));
    for (; sentAt(next) <= now; next += 1) {
      latest = Math.max(latest, sentAt(next) + delay(next) * 1000);
      queue.push({ frame: next, at: latest });
    }
    while (queue.length > 0 && queue[0].at <= now) {
      const { frame } = queue.shift();
      const content = message(BINARY, pcm(frame, rate, channels, sample));
      for (const socket of sockets) socket.write(content);
    }
    if (isDown()) for (const socket of sockets) socket.destroy();
    timer = setTimeout(work, Math.max(1, Math.min(sentAt(next), queue[0]?.at ?? Infinity) - Date.now()));
  };
  work();

  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    /** The template of the addresses of its channels. */
    url: `ws://127.0.0.1:${server.address().port}/{channel}`,
    /** When frame 0 began, and how long one lasts, in milliseconds of the wall clock. */
    began,
    pace,
    /** Goes on with another format. */
    change(format) {
      ({ rate, channels } = format);
      for (const socket of sockets) socket.write(started());
    },
    /** Breaks every connection. */
    drop() {
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        clearTimeout(timer);
        for (const socket of sockets) socket.destroy();
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

function pcm(frame, rate, channels, sample) {
  const length = rate * FRAME;
  const bytes = Buffer.alloc(length * channels * 2);
  for (let at = 0; at < length; at += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      bytes.writeInt16LE(sample(frame, frame * length + at, rate), (at * channels + channel) * 2);
    }
  }
  return bytes;
}

function message(kind, content) {
  const size = content.length;
  const head = size < 126 ? [0x80 | kind, size] : [0x80 | kind, 126, size >> 8, size & 255];
  return Buffer.concat([Buffer.from(head), content]);
}

/** A source of numbers from 0 to 1 that gives the same ones for the same seed. */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
