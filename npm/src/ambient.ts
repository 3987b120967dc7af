/// <reference lib="esnext.disposable" preserve="true" />

/**
 * Shapes of what the platforms provide, so that the types of this package need neither the DOM's nor Node's types.
 * Where a program has those types, the values fit them too.
 */

/** The instance type of a global class where the program's types know it, else `Fallback`. */
type Ambient<Name extends string, Fallback> = typeof globalThis extends {
  [name in Name]: { prototype: infer Instance };
}
  ? Instance
  : Fallback;

/** What is needed of an `AbortSignal`. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** What is needed of a `Blob`; a `File` brings its name too. */
export interface BlobLike {
  readonly type: string;
  readonly name?: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** What can be done with a `ReadableStream` on every platform. */
interface ReadableStreamLike<T> {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(): {
    read(): Promise<{ done: false; value: T } | { done: true; value?: undefined }>;
    cancel(reason?: unknown): Promise<void>;
    releaseLock(): void;
  };
}

/** What can be done with a `WritableStream` on every platform. */
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

/** A `ReadableStream` of the platform. */
export type WebReadableStream<T> = ReadableStreamLike<T> & Ambient<"ReadableStream", unknown>;

/** A `WritableStream` of the platform. */
export type WebWritableStream<T> = WritableStreamLike<T> & Ambient<"WritableStream", unknown>;

/** What can be done with a `Readable` of Node: listened to, piped into a program, iterated. */
interface NodeReadableLike {
  pipe<Destination>(destination: Destination, options?: { end?: boolean }): Destination;
  on(event: string, listener: (...values: never[]) => void): this;
  destroy(error?: Error): this;
  [Symbol.asyncIterator](): AsyncIterableIterator<unknown>;
}

/** A `Readable` of Node, found by a global stream whose method gives one: its own module is not to be named here. */
export type NodeReadable = typeof globalThis extends { process: { stdin: { drop(limit: number): infer Readable } } }
  ? Readable
  : NodeReadableLike;

/** An `AudioContext` of the page. */
export type WebAudioContext = Ambient<"AudioContext", { readonly sampleRate: number; readonly state: string }>;

/** An `AudioNode` of the page. */
export type WebAudioNode = Ambient<"AudioNode", { connect(destination: never): unknown; disconnect(): void }>;

/** A `MediaStream` of the page. */
export type WebMediaStream = Ambient<"MediaStream", { readonly id: string; readonly active: boolean }>;

/** A `MessagePort` of the page. */
export type WebMessagePort = Ambient<"MessagePort", object>;

/** A `WebAssembly.Module`. */
export type WebAssemblyModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;

/** The symbol of `await using`, also where the platform does not have it yet and a compiler's helper looks it up. */
export const asyncDispose: typeof Symbol.asyncDispose = (Symbol.asyncDispose ??
  Symbol.for("Symbol.asyncDispose")) as typeof Symbol.asyncDispose;
