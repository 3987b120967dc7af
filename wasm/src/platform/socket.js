// The events of a WebSocket. Text messages are collected, so that the module is called once for several messages.

/**
 * The room for text messages that the module has not received yet, in bytes. All sockets share it, because a browser delivers the
 * messages of a socket in bursts.
 */
const ROOM = 256 << 10;

const encoder = new TextEncoder();
/** Before each message is its length. */
let room;
let lengths;
let used = 0;
/** The function that receives the messages in `room`. */
let receiver;
/** Sends an event to this file, which arrives after the events that are already waiting. */
let port;
/** Whether the event is on its way. Until it arrives, messages are collected. */
let collecting = false;

function flush() {
  if (used === 0) return;
  const messages = room.subarray(0, used);
  used = 0;
  receiver(messages);
}

function prepare() {
  room = new Uint8Array(ROOM);
  lengths = new DataView(room.buffer);
}

function collect() {
  if (port === undefined) {
    // Not a timer, because browsers delay the timers of hidden pages.
    const { port1, port2 } = new MessageChannel();
    port = port2;
    port1.onmessage = () => {
      collecting = used > 0;
      if (!collecting) return;
      port.postMessage(0);
      flush();
    };
  }
  collecting = true;
  port.postMessage(0);
}

/**
 * Passes the messages of a socket, and its other events, to functions. A message is a string or an `ArrayBuffer`; a `Uint8Array`
 * contains several text messages, each as UTF-8 after its length in four bytes. The receiver must copy it.
 *
 * The first message is passed immediately. While events of the page are waiting, further messages are collected if `collects` is set.
 *
 * @param {WebSocket} socket
 * @param {(message: string | ArrayBuffer | Uint8Array) => void} onMessage
 * @param {(event: Event) => void} onOther
 * @param {boolean} collects
 */
export function listen(socket, onMessage, onOther, collects) {
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    // UTF-8 has at most three bytes for each unit of a string.
    const size = 4 + 3 * data.length;
    // The length of binary data is `undefined`.
    if (!(size <= ROOM)) {
      flush();
      return onMessage(data);
    }
    if (receiver !== onMessage || used + size > ROOM) flush();
    if (room === undefined) prepare();
    receiver = onMessage;
    const { written } = encoder.encodeInto(data, room.subarray(used + 4));
    lengths.setUint32(used, written, true);
    used += 4 + written;
    if (collecting && collects) return;
    flush();
    if (collects) collect();
  };
  const handleOther = (event) => {
    flush();
    onOther(event);
  };
  socket.onopen = socket.onerror = socket.onclose = handleOther;
}

/**
 * Detaches the functions of {@link listen}.
 *
 * @param {WebSocket} socket
 * @param {Function} onMessage
 */
export function ignore(socket, onMessage) {
  socket.onmessage = socket.onopen = socket.onerror = socket.onclose = null;
  if (receiver === onMessage) used = 0;
}
