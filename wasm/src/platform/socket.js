// The events of a WebSocket. Text messages are collected, so that the module is called once for several messages. The output of a
// terminal does not pass through the module: the JavaScript engine decodes it, and the module receives only its size.

/** The room for text messages in UTF-8, in bytes. All sockets share it. */
const ROOM = 512 << 10;
/** The size of output to which no more text is added, in bytes, so that a program that processes it does not block the page. */
const LONG = 64 << 10;

const encoder = new TextEncoder();
/** Matches the first character that takes more than one byte in UTF-8. */
const NON_ASCII = /[\x80-\uffff]/;
const room = new Uint8Array(ROOM);
const lengths = new DataView(room.buffer);
/** The text messages that the module has not received yet, and the room that they need. */
let messages = [];
let size = 0;
/** The socket of these messages: the parameters of `listen`. */
let source;
/** Whether `deliver` will be called soon. Until then, messages are collected. */
let collecting = false;

/** Sends an event to this file in browsers without `scheduler`. */
let port;

/** Calls `deliver` after the events that are already waiting. A timer would be delayed in a hidden page. */
function deliverSoon() {
  if (globalThis.scheduler?.postTask) return scheduler.postTask(deliver);
  if (port === undefined) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = deliver;
    port = port2;
  }
  port.postMessage(0);
}

function deliver() {
  collecting = messages.length > 0;
  if (collecting) {
    deliverSoon();
    flush();
  }
}

/** Passes the collected messages to the module. They are decoded together, which is faster than decoding each one in its event. */
function flush() {
  if (messages.length === 0) return;
  const received = messages;
  const current = source;
  messages = [];
  size = 0;
  let used = 0;
  let outputs = [];
  const pass = () => {
    // Unlike the result of `+`, that of `join` is stored in one piece, which programs read faster.
    const joined = outputs.flatMap(({ texts, bytes, messageBytes }) => [texts.join(""), bytes, texts.length, messageBytes]);
    const passed = used > 0 ? room.subarray(0, used) : joined;
    used = 0;
    outputs = [];
    // The module may have closed the socket.
    if (source === current) current.onMessage(passed);
  };
  for (const message of received) {
    const text = current.acceptsOutput ? outputOf(message) : "";
    if (text) {
      if (used > 0) pass();
      addOutput(outputs, text, message);
    } else {
      if (outputs.length > 0) pass();
      const { written } = encoder.encodeInto(message, room.subarray(used + 4));
      lengths.setUint32(used, written, true);
      used += 4 + written;
    }
  }
  pass();
}

/** Returns the text of a message that contains output. Every other message is decoded by the module, which joins the halves of characters. */
function outputOf(message) {
  try {
    const { type, data } = JSON.parse(message);
    // Throws an exception if `data` is not a string, and in older browsers.
    return type === "output" && data.isWellFormed() ? data : "";
  } catch {
    return "";
  }
}

/** Returns the size of a text in UTF-8, while `room` is empty. */
const utf8Size = (text) => (NON_ASCII.test(text) ? encoder.encodeInto(text, room).written : text.length);

function addOutput(outputs, text, message) {
  let output = outputs.at(-1);
  if (output === undefined || output.bytes >= LONG) {
    output = { texts: [], bytes: 0, messageBytes: 0 };
    outputs.push(output);
  }
  output.texts.push(text);
  output.bytes += utf8Size(text);
  output.messageBytes += utf8Size(message);
}

/**
 * Passes the messages of a socket, and its other events, to functions. A message is a string or an `ArrayBuffer`. Several text messages are a
 * `Uint8Array`, which contains each one as UTF-8 after its length in four bytes; the receiver must copy it. Output of a terminal is an array:
 * each text, its size in UTF-8, the number of its messages, and their total size.
 *
 * The first message is passed immediately. While events of the page are waiting, further messages are collected if `collects` is set.
 *
 * @param {WebSocket} socket
 * @param {(message: string | ArrayBuffer | Uint8Array | (string | number)[]) => void} onMessage
 * @param {(event: Event) => void} onOther
 * @param {boolean} collects
 * @param {boolean} acceptsOutput whether output of a terminal may be passed as an array
 */
export function listen(socket, onMessage, onOther, collects, acceptsOutput) {
  const own = { onMessage, acceptsOutput: acceptsOutput && collects };
  // The functions no longer exist if the module closed the socket during a `flush`.
  const isIgnored = () => socket.onmessage === null;
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    // UTF-8 has at most three bytes for each unit of a string.
    const needed = 4 + 3 * data.length;
    // The length of binary data is `undefined`, so it never fits.
    if (source !== own || !(size + needed <= ROOM)) flush();
    if (isIgnored()) return;
    if (!(needed <= ROOM)) return onMessage(data);
    source = own;
    messages.push(data);
    size += needed;
    if (collecting && collects) return;
    flush();
    if (collects) {
      collecting = true;
      deliverSoon();
    }
  };
  const handleOther = (event) => {
    flush();
    if (!isIgnored()) onOther(event);
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
  if (source?.onMessage !== onMessage) return;
  source = undefined;
  messages = [];
  size = 0;
}
