/**
 * The interface that both bindings export: the WebAssembly module and the native addon. The bindings convert values and perform
 * the I/O; the Rust core implements the protocol.
 */
import type { WebElement, WebMessagePort } from "./ambient.js";
import type { AttachOptions, ScreenView } from "./channel/screen.js";
import type {
  AudioItem,
  ChannelState,
  Counters,
  ErrorRecord,
  EventItem,
  ScreenItem,
  TerminalItem,
} from "./generated/channels.js";

/** The settings of a client. An absent setting has the core's default. */
export interface BindingConfig {
  base_url?: string;
  realtime_url?: string;
  api_key?: string;
  timeout?: number;
  idle_timeout?: number;
  total_timeout?: number;
  max_retries?: number;
  max_response_bytes?: number;
  headers?: Record<string, string>;
  /** The least severe level that is logged. Default: nothing is logged. */
  log_level?: string;
}

/** Receives the level and the text of each line that a client logs. */
export type Log = (level: string, line: string) => void;

/** The options of one call. */
export interface BindingCallOptions {
  timeout?: number;
  idle_timeout?: number;
  total_timeout?: number;
  max_retries?: number;
  max_response_bytes?: number;
  headers?: Record<string, string>;
}

/** The content of a file to upload: in memory, or read while it is sent. */
export interface BindingContent {
  name: string;
  content_type: string;
  data?: Uint8Array;
  source?: BindingSource;
  /** Whether `nextUploadProgress` will be called. */
  reports_progress?: boolean;
}

/**
 * Provides a file while it is sent. The addon requests its bytes by `nextFileRequest`; the WebAssembly module uses the methods of
 * this interface.
 */
export interface BindingSource {
  /** The size in bytes, if it is known. */
  readonly size: number | undefined;
  /** Whether the file can be read again for a retry. */
  readonly repeatable: boolean;
  /** The number of bytes that were read for the last request; `undefined` before the first read. */
  readonly loaded: number | undefined;
  /** Returns the body of a request, for `fetch`: the file between other bytes. */
  body(before: Uint8Array, after: Uint8Array): unknown;
  /** Resolves with the reason why the file could not be read, or with `undefined`. */
  problem(): Promise<string | undefined>;
}

/** The progress of an upload, in bytes of the file. `total` is `null` while the size is not known. */
export interface BindingUploadProgress {
  loaded: number;
  total: number | null;
}

/** The outcome of a call. The value is plain data; an image or the content of a file is in `bytes`. */
export type Outcome = { ok: true; value: unknown; bytes?: Uint8Array } | { ok: false; error: ErrorRecord };

/** A call in progress. */
export interface PendingCall {
  /** Executes the call. Call this method once. The promise never rejects. */
  outcome(): Promise<Outcome>;
  /**
   * Resolves with the progress of the upload when it has changed. `loaded` never decreases, and is equal to `total` at the end of
   * a successful upload. Resolves with `null` after the call has ended, and for a call without `reports_progress`. Call this
   * method after `outcome`, and again only after the promise has resolved.
   */
  nextUploadProgress(): Promise<BindingUploadProgress | null>;
  /**
   * Resolves with `start` or `more` when a request needs bytes of the `source`: the first ones or the next ones. Resolves with
   * `null` after the call has ended. Call this method after `outcome`, and again only after the promise has resolved. Only the
   * addon has this method and the next two.
   */
  nextFileRequest?(): Promise<"start" | "more" | null>;
  /**
   * Copies the next bytes of the `source`, and then frees the memory of `spare`, which nothing uses anymore. Returns whether there
   * is room for more without a request.
   */
  provideFile?(bytes: Uint8Array, spare?: ArrayBuffer): boolean;
  /** Ends the `source`. `problem` is the reason why it could not be read completely. */
  endFile?(problem?: string): void;
  /**
   * Resolves with the next bytes of a streamed response, without bytes at its end, or with the error that ended it. Call this
   * method after the outcome, and again only after the promise has resolved.
   */
  nextPiece(): Promise<{ ok: true; bytes?: Uint8Array } | { ok: false; error: ErrorRecord }>;
  /**
   * Cancels the call or the stream of its response, and frees its connection. The outcome or the next piece is an `aborted`
   * error. Has no effect after the end.
   */
  cancel(): void;
}

/** The computer of a channel. */
export interface ChannelTarget {
  computer_id: string;
  instance_id?: string;
  connection_url?: string;
  password?: string;
  /** Whether the channel requests a fresh password through `nextPasswordRequest`. Otherwise a refused password ends the channel. */
  refreshable?: boolean;
  /** The number of connection attempts that may fail in a row. */
  max_reconnects?: number;
}

/** Why there is no password: a text, or the error of the call that requested it. */
export type PasswordProblem = string | (Pick<ErrorRecord, "message" | "status" | "request_id"> & { kind: string });

/** Maps each kind of channel to the type of its items. */
export interface ChannelItems {
  terminal: TerminalItem;
  audio: AudioItem;
  events: EventItem;
  screen: ScreenItem;
}

/** The name of a kind of channel. */
export type ChannelKind = keyof ChannelItems;

/** A channel of any kind. */
export interface BindingChannel<Item> {
  /**
   * Resolves with the next items in order, at least one, or with `null` when the channel has ended and all items were read. A
   * terminal slows down its programs if the consumer does not read. Call this method again only after the promise has resolved.
   * The same applies to the other methods that return promises.
   */
  next(): Promise<Item[] | null>;
  /**
   * Resolves with the new state when the state changes, or immediately if it has changed since the last call. Resolves with
   * `null` after the channel has ended.
   */
  nextState(): Promise<ChannelState | null>;
  /**
   * Resolves with `true` when, since the last call, more input was acknowledged or may have been lost, or the state has changed.
   * Resolves with `false` after the channel has ended.
   */
  nextProgress(): Promise<boolean>;
  /**
   * Resolves with `true` when a password is needed: call `providePassword` then. Resolves with `false` after the channel has
   * ended.
   */
  nextPasswordRequest(): Promise<boolean>;
  /**
   * Responds to a password request: with a target that contains the password, or with the problem, which is a text, or the error of
   * the call that requested the password.
   */
  providePassword(target: ChannelTarget | undefined, problem?: PasswordProblem): void;
  /**
   * Executes a command of the channel's kind:
   *
   * - terminal: `input` (a string) sends text, and returns `null`, or an `InputRefusal` if none of it is sent; `refusal` returns
   *   what `input` would return now; `resize` (`{ cols, rows }`).
   * - events: `subscribe` and `unsubscribe` (a list of event types). `expect` (an event type) throws an error if the type is unknown.
   * - screen: `size`, `pointer` and `refusal` return the current value; `move`, `down`, `up`, `click`, `drag`, `wheel`, `key` and
   *   `resize` (their parameters), `keysym` (`{ keysym, pressed }`) and `clipboard` (a string) are input, and return `null` or an
   *   `InputRefusal`; `release`; `pause` (whether to stop the updates);
   *   `clipboard` without an argument and `image` request an item.
   *
   * @throws an `ErrorRecord` for an unknown command or a wrong argument.
   */
  command(name: string, argument?: unknown): unknown;
  /** Returns the current state. */
  state(): ChannelState;
  /** Returns the current counters. */
  counters(): Counters;
  /** Ends the channel with a normal close. Items that arrived earlier can still be read. */
  close(): void;
  /**
   * Sends the samples to a sink. Without a sink, `next` returns the samples again. Only an audio channel in a worker has this
   * method.
   */
  pipeTo?(sink: SampleSink | undefined): void;
  /** Shows the screen in an element. Only a screen in a page has this method. */
  attach?(element: WebElement, options: AttachOptions): ScreenView;
}

/** The destination of samples: a ring buffer in shared memory if there is one, else the port. */
export interface SampleSink {
  port: WebMessagePort;
  ring: SharedArrayBuffer | undefined;
}

/** The REST calls of a client. */
export interface RestClient {
  call(
    operation: string,
    params: Record<string, unknown>,
    options: BindingCallOptions | undefined,
    content?: BindingContent,
  ): PendingCall;
}

/** The channels of a client. */
export interface ChannelClient {
  /**
   * Opens a channel.
   *
   * @param options The options of the kind: `cols` and `rows` of a terminal; `sample_rate` and `channels` of audio; `types` of
   *   events; `view_only` of a screen. `batch_ms` is the longest time for which the addon collects items before it passes them to
   *   JavaScript.
   * @throws an `ErrorRecord` if the address or an option is invalid.
   */
  open<Kind extends ChannelKind>(
    kind: Kind,
    target: ChannelTarget,
    options: object,
  ): BindingChannel<ChannelItems[Kind]> | Promise<BindingChannel<ChannelItems[Kind]>>;
}

/** A client: settings, credentials and connections. */
export interface BindingClient extends RestClient, ChannelClient {}

/** The exports of a part of a binding. */
interface Exports<Client> {
  kind(): "native" | "wasm";
  /** Returns the version of the Rust code. */
  version(): string;
  /** The class of clients. Its constructor throws an `ErrorRecord` if a setting is invalid. */
  readonly Client: new (
    config: BindingConfig,
    log?: Log,
  ) => Client;
}

/** The part of a binding with the channels. */
export interface ChannelBinding<Client = ChannelClient> extends Exports<Client> {
  /** Returns the header of a 16-bit WAV file of unknown length. */
  wavHeader(sampleRate: number, channels: number): Uint8Array;
  /** Converts interleaved samples from -1 to 1 to 16-bit PCM. */
  wavEncode(samples: Float32Array): Uint8Array;
  /** Returns the peak and the root mean square of samples, in this order. */
  level(samples: Float32Array): Float32Array;
}

/** The exports of a binding. */
export interface Binding extends ChannelBinding<BindingClient> {}

/** The parts of a binding. In a page, they are separate modules, so that it downloads only what it uses. */
export interface BindingParts {
  rest: Exports<RestClient>;
  channels: ChannelBinding;
  /** The live screen. */
  screen: Exports<ChannelClient>;
}

/** The name of a part. */
export type Part = keyof BindingParts;
