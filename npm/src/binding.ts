/**
 * What the TypeScript layer needs of a binding. The browser's (wasm) and Node's (native) both have exactly this
 * shape; they translate values and decide nothing. Every rule of the protocol is behind it, in the Rust core.
 */
import type { WebMessagePort } from "./ambient.js";
import type {
  AudioItem,
  ChannelState,
  Counters,
  ErrorRecord,
  EventItem,
  InputRefusal,
  TerminalItem,
} from "./generated/channels.js";

/** A client's settings, as the core takes them. Absent fields have the core's defaults. */
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
  /** Without it nothing is logged. */
  log_level?: string;
}

/** Gets the level and the text of each line that a client logs. */
export type Log = (level: string, line: string) => void;

/** What one call may change, as the core takes it. */
export interface BindingCallOptions {
  timeout?: number;
  idle_timeout?: number;
  total_timeout?: number;
  max_retries?: number;
  max_response_bytes?: number;
  headers?: Record<string, string>;
}

/** The content of a file to upload. */
export interface BindingContent {
  name: string;
  content_type: string;
  data: Uint8Array;
  /** Whether `nextUploadProgress` will be asked how far the upload is. */
  watched?: boolean;
}

/** How far an upload is, in bytes of the file. */
export interface BindingUploadProgress {
  loaded: number;
  total: number;
}

/** How a call ended. A value is plain data; a picture or a file's content is bytes beside it. */
export type Outcome = { ok: true; value: unknown; bytes?: Uint8Array } | { ok: false; error: ErrorRecord };

/** A call under way. */
export interface PendingCall {
  /** Never rejects. */
  readonly outcome: Promise<Outcome>;
  /**
   * How far the upload is, as soon as that has changed: it never goes back, and is whole at last if the upload is taken.
   * `null` after the end, and for what is not watched. One call at a time.
   */
  nextUploadProgress(): Promise<BindingUploadProgress | null>;
  /** Gives it up: the connection is freed and the outcome is an `aborted` error. After the end it does nothing. */
  cancel(): void;
}

/** Where a channel is and what opens it. Without a password the binding asks the API for it, with the client's key. */
export interface ChannelTarget {
  computer_id: string;
  instance_id?: string;
  connection_url?: string;
  password?: string;
  /** Asks by `nextPasswordRequest` for a password when one is needed, instead of asking the API. */
  asks?: boolean;
  /** How many dials may fail in a row. */
  max_reconnects?: number;
}

/** What the three channels have in common. */
export interface BindingChannel<Item> {
  /**
   * The next items in order, at least one, as soon as there are any; `null` once the channel has ended and all were
   * taken. Not taking is how a consumer holds a terminal back. One call at a time.
   */
  next(): Promise<Item[] | null>;
  /** Resolves at the next change of the state, at once if it changed since the last call; `null` after the end. */
  nextState(): Promise<ChannelState | null>;
  /** Resolves with `true` when a password is wanted, and `answer` is to be called; with `false` after the end. */
  nextPasswordRequest(): Promise<boolean>;
  /** Answers with what is known now, or with a problem in words instead. */
  answer(target: ChannelTarget | undefined, problem?: string): void;
  /** The state now. */
  state(): ChannelState;
  /** The counters now. */
  counters(): Counters;
  /** Ends the channel with a normal close. Items that arrived before can still be taken. */
  close(): void;
}

export interface BindingTerminal extends BindingChannel<TerminalItem> {
  /**
   * Sends text; if it is refused, the reason, and nothing of it is sent. Throws an `ErrorRecord` if it is too large for
   * one call.
   */
  input(text: string): InputRefusal | undefined;
  /** Why text would be refused now. */
  refusal(): InputRefusal | undefined;
  /**
   * Resolves with `true` when more input is acknowledged or may be lost than at the last call, or the state has changed;
   * with `false` after the end. One call at a time.
   */
  nextProgress(): Promise<boolean>;
  resize(cols: number, rows: number): void;
}

/** Where samples go: by the port, or through a ring in shared memory if there is one. */
export interface SampleSink {
  port: WebMessagePort;
  ring: SharedArrayBuffer | undefined;
}

export interface BindingAudio extends BindingChannel<AudioItem> {
  /**
   * Sends the samples to a sink instead of `next`; without a sink, to `next` again. Only a channel in a worker has this
   * method.
   */
  pipeTo?(sink: SampleSink | undefined): void;
}

export interface BindingEvents extends BindingChannel<EventItem> {
  subscribe(types: string[]): void;
  unsubscribe(types: string[]): void;
}

/** A client: settings, credentials and connections. */
export interface BindingClient {
  call(operation: string, params: Record<string, unknown>, options: BindingCallOptions, content?: BindingContent): PendingCall;
  /** Throws an `ErrorRecord` if the address or an option is not acceptable. */
  terminal(target: ChannelTarget, options: { cols?: number; rows?: number }): BindingTerminal;
  audio(
    target: ChannelTarget,
    /** `batch_ms`: how long samples gather before they are handed over; only where that costs a change of threads. */
    options: { sample_rate?: number; channels?: number; batch_ms?: number },
  ): BindingAudio | Promise<BindingAudio>;
  events(target: ChannelTarget, options: { types?: string[] }): BindingEvents;
}

/** PCM as bytes and figures. */
export interface BindingPcm {
  /** The header of a stream of unknown length (16 bit). */
  header(sample_rate: number, channels: number): Uint8Array;
  /** Interleaved samples from -1 to 1 as 16-bit PCM. */
  encode(samples: Float32Array): Uint8Array;
  /** The peak and the root mean square of samples, both from 0 to 1. */
  level(samples: Float32Array): Float32Array;
}

/** A loaded binding. */
export interface Binding {
  readonly kind: "native" | "wasm";
  /** The version of the Rust code. */
  version(): string;
  /** Throws an `ErrorRecord` if a setting is not acceptable. */
  client(config: BindingConfig, log?: Log): BindingClient;
  readonly pcm: BindingPcm;
}
