// The files that an upload accepts. A page loads this code with its first upload.

import type { BlobLike, WebReadableStream } from "../ambient.js";
import type { BindingContent } from "../binding.js";
import { Deadline } from "../deadline.js";
import { invalidParameter, messageOf } from "../errors.js";
import { type CallOptions, checkArgument, checks, checkWellFormed } from "../options.js";
import type { Platform, Reading } from "../platform.js";
import { PIECE, Source, type SourceFile } from "./source.js";

/** A file on the disk of this machine. Only in Node. */
export interface FilePath {
  /** The path, or a `file:` URL. */
  path: string | { readonly href: string };
}

/**
 * The content of a file:
 *
 * - bytes: an `ArrayBuffer` or a view, also of shared memory, which is copied;
 * - a `Blob` or a `File`, such as the result of `fs.openAsBlob`;
 * - a stream of bytes: a `ReadableStream`, a Node `Readable` or any async iterable of `Uint8Array`;
 * - in Node, the path of a file.
 *
 * Objects of another realm, such as an iframe, are accepted too.
 */
export type FileContent =
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | BlobLike
  | WebReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | FilePath;

/** The content of an upload, and its source if it is read while it is sent. */
export interface Content {
  binding: BindingContent;
  source: Source | undefined;
}

/** What the caller specifies in addition to the file. */
export interface Description {
  name: string | undefined;
  size: number | undefined;
}

const OPERATION = "files.upload";

/** The largest content that is read into memory before it is sent, in bytes. */
const SMALL = 1024 * 1024;

const EXPECTED = "must be a Uint8Array, an ArrayBuffer, a Blob, a File, a stream of bytes, or in Node { path }";

/**
 * Checks the content of an upload, and opens its file.
 *
 * @param bytes A copy of the file, if it is in memory.
 */
export async function openContent(
  platform: Platform,
  file: FileContent,
  bytes: Uint8Array | undefined,
  { name, size }: Description,
  { timeout, totalTimeout, signal }: CallOptions,
  defaultTimeout: number,
): Promise<Content> {
  if (isResponse(file)) {
    throw invalidParameter(
      OPERATION,
      "file",
      "must not be a Response or a Request: pass its `body`, or the result of its `blob()`",
    );
  }
  const stream = asStream(file);
  if (stream === undefined && bytes === undefined && !isBlob(file) && !isPath(file)) {
    throw invalidParameter(OPERATION, "file", EXPECTED);
  }
  const given = file as { name?: unknown; path?: unknown; type?: unknown };
  const fileName = name ?? (isBlob(file) ? given.name : undefined) ?? baseName(given);
  let reading: Reading | undefined;
  try {
    if (size !== undefined) {
      checkArgument(OPERATION, "size", size, checks.fileSize);
      if (stream === undefined) throw invalidParameter(OPERATION, "size", "must be left out, unless the file is a stream");
    }
    if (typeof fileName !== "string" || fileName === "") {
      throw invalidParameter(OPERATION, "name", "must be a non-empty string, unless the file has a name or a path");
    }
    checkWellFormed(OPERATION, "name", fileName);
    reading = await platform.reading?.();
  } catch (error) {
    await stream?.close();
    throw error;
  }
  const deadline = new Deadline(OPERATION, totalTimeout ?? timeout ?? defaultTimeout, signal);
  const wait = <T>(work: Promise<T>) => deadline.wait(work, "the file was not read");
  const binding = { name: fileName, content_type: (isBlob(file) && file.type) || "application/octet-stream" };
  const inMemory = (data: Uint8Array): Content => ({ binding: { ...binding, data }, source: undefined });
  const external = (opened: SourceFile): Content => {
    const source = new Source(opened, reading?.provide);
    return { binding: { ...binding, source }, source };
  };

  if (stream !== undefined) {
    if (reading !== undefined) return external({ ...stream, size, owns: await reading.watchPieces(file) });
    // A browser sends a stream only by HTTP/2, and `XMLHttpRequest` never does.
    try {
      return external(sentByBrowser(await wait(collect({ ...stream, size }))));
    } finally {
      await stream.close();
    }
  }
  if (isBlob(file)) {
    if (!isSliceable(file) || file.size <= SMALL || (reading === undefined && !isNativeBlob(file))) {
      return inMemory(new Uint8Array(await wait(readBlob(file))));
    }
    return external(reading === undefined ? sentByBrowser(file) : blobFile(file, reading.readBlob(file)));
  }
  if (bytes !== undefined) {
    if (bytes.length <= SMALL) return inMemory(bytes);
    return external(reading === undefined ? sentByBrowser(new Blob([bytes as BlobPart])) : reading.readBytes(bytes));
  }
  if (reading === undefined) {
    throw invalidParameter(OPERATION, "file", "must not be a path in a page: pass a File or a Blob");
  }
  const opening = reading.openFile((file as FilePath).path).catch((cause) => Promise.reject(unreadable(cause)));
  try {
    return external(await wait(opening));
  } catch (error) {
    opening.then((opened) => opened.close()).catch(() => {});
    throw error;
  }
}

const unreadable = (cause: unknown, hint = "") =>
  invalidParameter(OPERATION, "file", `cannot be read: ${messageOf(cause)}${hint}`, cause);

const CHANGED = "if its file has changed, create the Blob again";

/** Reads a `Blob`. This fails for example if the `Blob` refers to a file on the disk that has changed since. */
async function readBlob(blob: BlobLike): Promise<ArrayBuffer> {
  try {
    return await blob.arrayBuffer();
  } catch (cause) {
    throw unreadable(cause, `; ${CHANGED}`);
  }
}

interface SliceableBlob extends BlobLike {
  readonly size: number;
  slice(start?: number, end?: number): BlobLike;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Returns whether a value is a Blob. The body of a response of undici has the same method, but it is a Node stream. */
const isBlob = (value: unknown): value is BlobLike =>
  isObject(value) && typeof (value as Partial<BlobLike>).arrayBuffer === "function" && !("pipe" in value);

/** Returns whether a value is a `Response` or a `Request`, whose `type` is no MIME type. */
const isResponse = (value: unknown) => isBlob(value) && "blob" in value && "bodyUsed" in value;

const isSliceable = (blob: BlobLike): blob is SliceableBlob =>
  "size" in blob && typeof blob.size === "number" && "slice" in blob && typeof blob.slice === "function";

/** Returns whether the browser created a Blob, so that it can send the Blob. */
const isNativeBlob = (blob: unknown): blob is Blob =>
  ["[object Blob]", "[object File]"].includes(Object.prototype.toString.call(blob));

const isPath = (value: unknown): value is FilePath => {
  const path = isObject(value) && "path" in value ? value.path : undefined;
  return typeof path === "string" || (isObject(path) && "href" in path && typeof path.href === "string");
};

/** Returns the last name in the path of a file or of a Node stream. */
function baseName({ path }: { path?: unknown }): string | undefined {
  if (isObject(path) && "pathname" in path && typeof path.pathname === "string") {
    return decode(path.pathname).split("/").pop();
  }
  return typeof path === "string" ? path.split(/[\\/]/).pop() : undefined;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Returns the source of a Blob. `read` reads it, if that is possible without a copy. */
function blobFile(blob: SliceableBlob, read?: SourceFile["read"]): SourceFile {
  return {
    size: blob.size,
    repeatable: true,
    hint: CHANGED,
    read: read ?? (() => readSlices(blob)),
    owns: () => read !== undefined,
    close() {},
  };
}

/** Returns the source of a Blob that the browser sends. */
const sentByBrowser = (blob: SliceableBlob): SourceFile => ({ ...blobFile(blob), blob });

function readSlices(blob: SliceableBlob) {
  let start = 0;
  return async () => {
    if (start >= blob.size) return undefined;
    const slice = blob.slice(start, Math.min(start + PIECE, blob.size));
    start += PIECE;
    return new Uint8Array(await slice.arrayBuffer());
  };
}

/** The Node streams and generators that an upload has used. A second upload would get only the rest of their content. */
const spent = new WeakSet<object>();

/** A stream that can be read once. */
type Stream = Omit<SourceFile, "size">;

/** The part of a Node stream that is used here. */
interface NodeStream {
  destroyed?: boolean;
  /** The error that reading reports. */
  errored?: unknown;
  readableEnded?: boolean;
  destroy?(): void;
  /** A generator has this method. */
  next?(): unknown;
  on?(event: "error", listener: () => void): void;
}

/** Returns the stream of a value, or `undefined` if it is not a stream. */
function asStream(value: unknown): Stream | undefined {
  if (!isObject(value) || isBlob(value) || ArrayBuffer.isView(value)) return undefined;
  /** Ends a stream. A failure of that must not replace the outcome of the call. */
  const end = async (work: () => unknown) => {
    try {
      await work();
    } catch {}
  };
  if ("getReader" in value && typeof value.getReader === "function") {
    const stream = value as ReadableStream<Uint8Array>;
    if (stream.locked) throw invalidParameter(OPERATION, "file", "must be a stream that nothing else reads: it is locked");
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    return {
      repeatable: false,
      read() {
        const own = stream.getReader();
        reader = own;
        return async () => (await own.read()).value;
      },
      // A stream that has ended ignores this.
      close: () => void end(() => (reader ?? stream).cancel()),
    };
  }
  if (!(Symbol.asyncIterator in value)) return undefined;
  const iterable = value as AsyncIterable<Uint8Array> & NodeStream;
  // Such a stream provides nothing, so an empty file would be stored.
  const isDestroyed = iterable.destroyed === true && (iterable.errored ?? undefined) === undefined;
  if (spent.has(iterable) || isDestroyed || iterable.readableEnded === true) {
    throw invalidParameter(
      OPERATION,
      "file",
      "must be a stream that was not read to its end, destroyed or uploaded: create it again",
    );
  }
  if (typeof iterable.destroy === "function" || typeof iterable.next === "function") spent.add(iterable);
  // Without a listener, an error of a Node stream before the first read would end the process. Reading reports it again.
  if (typeof iterable.destroy === "function") iterable.on?.("error", () => {});
  let iterator: AsyncIterator<Uint8Array> | undefined;
  const iterate = () => {
    if (iterator === undefined && iterable.readableEnded === true) throw new Error("something else has read it");
    iterator ??= iterable[Symbol.asyncIterator]();
    return iterator;
  };
  return {
    repeatable: false,
    read() {
      const own = iterate();
      return async () => {
        const { done, value } = await own.next();
        return done ? undefined : value;
      };
    },
    close: () => void end(() => (typeof iterable.destroy === "function" ? iterable.destroy() : iterate().return?.())),
  };
}

/** Reads a stream to a Blob, which the browser may store on the disk. */
async function collect(stream: SourceFile): Promise<Blob> {
  const source = new Source(stream);
  const pieces: BlobPart[] = [];
  let waiting: BlobPart[] = [];
  let size = 0;
  const flush = () => {
    pieces.push(new Blob(waiting));
    [waiting, size] = [[], 0];
  };
  try {
    source.start();
    for (let piece = await source.read(); piece !== undefined; piece = await source.read()) {
      waiting.push(piece.slice() as BlobPart);
      size += piece.length;
      if (size > SMALL) flush();
    }
    flush();
    return new Blob(pieces);
  } catch (error) {
    throw unreadable((error as Error).cause ?? error);
  }
}
