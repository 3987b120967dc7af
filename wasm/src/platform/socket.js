// The sockets of pages and workers. Objects of the DOM need less code here than through wasm-bindgen.

// The values of `readyState`.
const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/**
 * Opens a socket that makes the server wait for this side, if the browser has such sockets.
 *
 * @param {string} url
 * @returns {WebSocket | StreamSocket}
 */
export const openSocket = (url) => ("WebSocketStream" in globalThis ? new StreamSocket(url) : new WebSocket(url));

/**
 * A `WebSocketStream` with the interface of a `WebSocket`. Unlike a `WebSocket`, it delivers only requested messages: one for
 * each call of `read`. Other messages stay in the network, so the server has to wait.
 */
class StreamSocket {
  readyState = CONNECTING;
  /** The length of the data that the browser has not accepted yet. */
  bufferedAmount = 0;
  onopen;
  onmessage;
  onclose;
  #stream;
  #reader;
  #writer;
  /** Whether a message is requested. After the end, it stays `true`. */
  #reading = false;
  /** Settles when the browser has accepted all data that was sent so far. */
  #written = Promise.resolve();
  /** Whether the browser has discarded messages. It discards those that were not read when the server closes the socket. */
  #truncated = false;

  constructor(url) {
    this.#stream = new WebSocketStream(url);
    // This promise is not used before the end, and its rejection must not count as unhandled.
    this.#stream.closed.catch(() => {});
    this.#stream.opened.then(({ readable, writable }) => {
      this.#reader = readable.getReader();
      this.#writer = writable.getWriter();
      // The browser closes both streams at the same time.
      this.#writer.closed.catch(() => {
        this.#truncated = !this.#reading;
      });
      this.readyState = OPEN;
      this.onopen?.({ type: "open" });
    }, this.#end);
  }

  /** Requests the next message, if none is requested. The end of the socket is reported like a message. */
  read() {
    if (this.#reading) return;
    this.#reading = true;
    this.#reader.read().then(this.#received, this.#end);
  }

  send(data) {
    const { length } = data;
    this.bufferedAmount += length;
    const accepted = () => {
      this.bufferedAmount -= length;
    };
    // The module passes a part of its memory, which it reuses after this call. A closed socket drops the message.
    this.#written = this.#writer.write(typeof data === "string" ? data : data.slice()).then(accepted, accepted);
  }

  /** Closes the socket after the data that was sent before. Further calls have no effect. */
  close(closeCode) {
    if (this.readyState > OPEN) return;
    const close = () => this.#stream.close(closeCode === undefined ? {} : { closeCode });
    // A socket that is still connecting is closed at once, to cancel the attempt.
    if (this.readyState === CONNECTING) close();
    else this.#written.then(close);
    this.readyState = CLOSING;
  }

  #received = ({ value, done }) => {
    if (done) return this.#end();
    this.#reading = false;
    this.onmessage?.({ data: value });
  };

  #end = () => {
    const report = ({ closeCode, reason }) => {
      this.readyState = CLOSED;
      // A failure without a close code is an abnormal closure.
      this.onclose?.({ type: "close", code: closeCode ?? 1006, reason: reason ?? "", truncated: this.#truncated });
    };
    this.#stream.closed.then(report, report);
  };
}

/**
 * Passes the messages of a socket, and its other events, to functions. `null` detaches them.
 *
 * @param {WebSocket | StreamSocket} socket
 * @param {((event: MessageEvent) => void) | null} onMessage
 * @param {((event: Event) => void) | null} onOther
 */
export function listen(socket, onMessage, onOther) {
  socket.binaryType = "arraybuffer";
  socket.onmessage = onMessage;
  socket.onopen = socket.onerror = socket.onclose = onOther;
}
