// The sockets of pages and workers.

/** The part of a `WebSocketStream` that this package uses. */
interface WebSocketStream {
  readonly opened: Promise<{ readable: ReadableStream<string | BufferSource>; writable: WritableStream<string | BufferSource> }>;
  readonly closed: Promise<CloseInfo>;
  close(info: CloseInfo): void;
}

interface CloseInfo {
  closeCode?: number | null;
  reason?: string;
}

// The values of `readyState`.
const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** Opens a socket. The result has the interface of a `WebSocket`, as far as the WebAssembly module uses it. */
export type OpenSocket = (url: string) => WebSocket;

/** Opens a socket that makes the server wait for this side, if the browser has such sockets. */
export const openSocket: OpenSocket = (url) =>
  "WebSocketStream" in globalThis ? (new StreamSocket(url) as unknown as WebSocket) : new WebSocket(url);

/**
 * A `WebSocketStream` with the interface of a `WebSocket`. Unlike a `WebSocket`, it delivers only requested messages: one for
 * each {@link read}. Other messages stay in the network, so the server has to wait.
 */
class StreamSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string; truncated: boolean }) => void) | null = null;
  readyState: number = CONNECTING;
  /** The length of the data that the browser has not accepted yet. */
  bufferedAmount = 0;
  readonly #stream: WebSocketStream;
  #reader: ReadableStreamDefaultReader<string | BufferSource> | undefined;
  #writer: WritableStreamDefaultWriter<string | BufferSource> | undefined;
  /** Whether a message is requested. After the end, it stays `true`. */
  #reading = false;
  /** Settles when the browser has accepted all data that was sent so far. */
  #written: Promise<unknown> = Promise.resolve();
  /** Whether the browser has discarded messages. It discards those that were not read when the server closes the socket. */
  #truncated = false;

  constructor(url: string) {
    const { WebSocketStream } = globalThis as unknown as { WebSocketStream: new (url: string) => WebSocketStream };
    this.#stream = new WebSocketStream(url);
    // This promise is not used before the end, and its rejection must not count as unhandled.
    this.#stream.closed.catch(() => {});
    this.#stream.opened.then(
      ({ readable, writable }) => {
        this.#reader = readable.getReader();
        this.#writer = writable.getWriter();
        this.#writer.closed.catch(() => {
          this.#truncated = !this.#reading;
        });
        this.readyState = OPEN;
        this.onopen?.();
      },
      () => this.#end(),
    );
  }

  /** Requests the next message, if none is requested. The end of the socket is reported like a message. */
  read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#reader?.read().then(this.#received, this.#end);
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    const { length } = data;
    // The module passes a part of its memory, which it reuses after this call.
    const kept = typeof data === "string" ? data : data.slice();
    this.bufferedAmount += length;
    const accepted = () => {
      this.bufferedAmount -= length;
    };
    // A closed socket drops the message, like a `WebSocket`.
    this.#written = this.#writer?.write(kept).then(accepted, accepted) ?? this.#written;
  }

  /** Closes the socket after the data that was sent before. Further calls have no effect. */
  close(code?: number): void {
    if (this.readyState > OPEN) return;
    const close = () => this.#stream.close(code === undefined ? {} : { closeCode: code });
    // A socket that is still connecting is closed at once, to cancel the attempt.
    if (this.readyState === CONNECTING) close();
    else void this.#written.then(close);
    this.readyState = CLOSING;
  }

  readonly #received = ({ value, done }: ReadableStreamReadResult<string | BufferSource>) => {
    if (done) return this.#end();
    this.#reading = false;
    this.onmessage?.({ data: value });
  };

  readonly #end = () => {
    const report = ({ closeCode, reason }: CloseInfo) => {
      this.readyState = CLOSED;
      // A failure without a close code is an abnormal closure.
      this.onclose?.({ code: closeCode ?? 1006, reason: reason ?? "", truncated: this.#truncated });
    };
    this.#stream.closed.then(report, report);
  };
}
