/// <reference lib="esnext.disposable" preserve="true" />

// The types of the platform objects that this package uses. They make its declarations independent of the types of the DOM
// and of Node. If a program includes those types, they are compatible with the types here.

/** The instance type of a global class if the program declares it, else `Fallback`. */
type Ambient<Name extends string, Fallback> = typeof globalThis extends {
  [name in Name]: { prototype: infer Instance };
}
  ? Instance
  : Fallback;

/** The part of an `AbortSignal` that this package uses. */
export interface AbortSignalLike {
  /** Whether the signal is aborted. */
  readonly aborted: boolean;
  /** The reason that was passed to `abort`. */
  readonly reason?: unknown;
  /** Adds a listener for the `abort` event. */
  addEventListener(type: "abort", listener: () => void): void;
  /** Removes a listener for the `abort` event. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The part of a `Blob` or a `File` that this package uses. */
export interface BlobLike {
  /** The MIME type, or an empty string. */
  readonly type: string;
  /** The file name. Only a `File` has one. */
  readonly name?: string;
  /** Reads the content. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The part of a `ReadableStream` that all platforms support. */
interface ReadableStreamLike<T> {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(): {
    read(): Promise<{ done: false; value: T } | { done: true; value?: undefined }>;
    cancel(reason?: unknown): Promise<void>;
    releaseLock(): void;
  };
}

/** The part of a `WritableStream` that all platforms support. */
interface WritableStreamLike<T> {
  readonly locked: boolean;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  getWriter(): {
    readonly ready: Promise<unknown>;
    write(chunk: T): Promise<void>;
    close(): Promise<void>;
    abort(reason?: unknown): Promise<void>;
    releaseLock(): void;
  };
}

/** A `ReadableStream`. */
export type WebReadableStream<T> = ReadableStreamLike<T> & Ambient<"ReadableStream", unknown>;

/** A `WritableStream`. */
export type WebWritableStream<T> = WritableStreamLike<T> & Ambient<"WritableStream", unknown>;

/** The commonly used part of a Node `Readable`: events, `pipe` and iteration. */
interface NodeReadableLike {
  pipe<Destination>(destination: Destination, options?: { end?: boolean }): Destination;
  on(event: string, listener: (...values: never[]) => void): this;
  destroy(error?: Error): this;
  [Symbol.asyncIterator](): AsyncIterableIterator<unknown>;
}

/**
 * A Node `Readable`. The type is inferred from a method of `process.stdin`, because an import of `node:stream` would require
 * the types of Node.
 */
export type NodeReadable = typeof globalThis extends { process: { stdin: { drop(limit: number): infer Readable } } }
  ? Readable
  : NodeReadableLike;

/** An `AudioContext`. */
export type WebAudioContext = Ambient<"AudioContext", { readonly sampleRate: number; readonly state: string }>;

/** An `AudioNode`. */
export type WebAudioNode = Ambient<"AudioNode", { connect(destination: never): unknown; disconnect(): void }>;

/** A `MediaStream`. */
export type WebMediaStream = Ambient<"MediaStream", { readonly id: string; readonly active: boolean }>;

/** An `HTMLElement`. */
export type WebElement = Ambient<"HTMLElement", object>;

/** A `MessagePort`. */
export type WebMessagePort = Ambient<"MessagePort", object>;

/** A `WebAssembly.Module`. */
export type WebAssemblyModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;

/**
 * The symbol for `await using`: `Symbol.asyncDispose`, or on a platform without it, the symbol that the helper code of compilers
 * uses.
 */
export const asyncDispose: typeof Symbol.asyncDispose = (Symbol.asyncDispose ??
  Symbol.for("Symbol.asyncDispose")) as typeof Symbol.asyncDispose;
