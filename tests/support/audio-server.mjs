// A server of audio channels with real sockets. It sends frames in real time and simulates network conditions.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const [TEXT, BINARY, CLOSE] = [1, 2, 8];

/** The duration of an audio frame, in seconds. */
export const FRAME = 0.02;

/**
 * Returns the value of all samples of a frame. The value contains the frame number modulo 1000, so that a receiver can
 * compute when the frame was sent.
 */
export const numbered = (frame) => ((frame % 1000) + 1) * 32;
/** Returns the frame number modulo 1000 that a sample value contains. The value is from -1 to 1. */
export const numberOf = (value) => Math.round((value * 32_768) / 32) - 1;

/**
 * @typedef {object} Line the audio and the network conditions
 * @property {number} [rate]
 * @property {number} [channels]
 * @property {number} [ppm] the error of the sender's clock, in parts per million; positive if it is too fast
 * @property {(frame: number, sample: number, rate: number) => number} [sample] returns a 16-bit sample; default:
 *   `numbered`
 * @property {(frame: number) => number} [delay] returns the delay of a frame, in seconds; frames are never reordered
 * @property {[number, number]} [down] the start and end of the time in which all connections are broken, in seconds
 * @property {boolean} [patient] whether the sender's clock stops while this process is too busy to send, so that frames
 *   do not accumulate
 */

/** Starts the server. It sends the same frames to all clients. */
export async function startAudioServer(/** @type {Line} */ line = {}) {
  const { ppm = 0, sample = numbered } = line;
  let { rate = 24_000, channels = 1 } = line;
  const { delay = () => 0, down = [Infinity, Infinity], patient = false } = line;
  const pace = (FRAME * 1000) / (1 + ppm / 1e6);
  const sockets = new Set();
  const began = Date.now();
  let stopped = 0;
  const sentAt = (frame) => began + stopped + (frame + 1) * pace;
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
    // Checks only the opcode, because clients send only pings, a stop message and a close frame.
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
  const send = () => {
    const now = Date.now();
    if (patient) stopped += Math.max(0, now - sentAt(next));
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
    timer = setTimeout(send, Math.max(1, Math.min(sentAt(next), queue[0]?.at ?? Infinity) - Date.now()));
  };
  send();

  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    /** The URL template of the channels. */
    url: `ws://127.0.0.1:${server.address().port}/{channel}`,
    /** The wall clock time at the start of frame 0 and the duration of a frame, both in milliseconds. */
    began,
    pace,
    /** Changes the audio format. */
    change(format) {
      ({ rate, channels } = format);
      for (const socket of sockets) socket.write(started());
    },
    /** Disconnects all clients. */
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

/** Returns a pseudorandom number generator for values from 0 to 1. */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
