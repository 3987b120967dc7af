// How Node reads the content of an upload while it is sent. A program loads this code with its first upload of that kind.

import type { ReadStream, Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { PendingCall } from "../binding.js";
import { messageOf } from "../errors.js";
import type { FilePath } from "./content.js";
import { PIECE, type Source, type SourceFile } from "./source.js";

/** The part of a Blob that is read as one stream, in bytes. Node reads a Blob in memory in one piece. */
const STREAMED = 4 * 1024 * 1024;

/** Opens a file on the disk. */
export async function openFile(path: FilePath["path"]): Promise<SourceFile> {
  const fs = await import("node:fs/promises");
  // Otherwise the opening of a named pipe waits for a program that writes to it, and cannot be ended. Windows has no such flag.
  const { O_RDONLY, O_NONBLOCK = 0 } = fs.constants;
  const handle = await fs.open(typeof path === "string" ? path : new URL(path.href), O_RDONLY | O_NONBLOCK);
  try {
    const opened = await handle.stat();
    if (!opened.isFile()) throw new Error("it is not a regular file; to send a pipe or a device, pass a stream");
    // The files of the kernel in /proc have the size 0 and a content.
    const isUnsized = opened.size === 0 && (await handle.read(new Uint8Array(1), 0, 1, 0)).bytesRead > 0;
    const size = isUnsized ? undefined : opened.size;
    return { size, repeatable: true, read: () => readFile(handle, opened, size), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function readFile(handle: FileHandle, opened: Stats, size = Infinity) {
  const buffer = new Uint8Array(Math.min(PIECE, size));
  let position = 0;
  return async (): Promise<Uint8Array | undefined> => {
    const length = Math.min(buffer.length, size - position);
    const { bytesRead } = length > 0 ? await handle.read(buffer, 0, length, position) : { bytesRead: 0 };
    position += bytesRead;
    if (bytesRead > 0) return buffer.subarray(0, bytesRead);
    const now = await handle.stat();
    // The caller reports a missing end.
    if (position === size && (now.size !== opened.size || now.mtimeMs !== opened.mtimeMs)) {
      throw new Error("it has changed while it was read");
    }
    return undefined;
  };
}

/** Returns the source of bytes in memory. */
export function readBytes(bytes: Uint8Array): SourceFile {
  return {
    size: bytes.length,
    repeatable: true,
    read() {
      const pieces = [bytes];
      return async () => pieces.shift();
    },
    close() {},
  };
}

/**
 * Returns a reader of a Blob, or `undefined` for a Blob of a library, which may keep the memory of its pieces. Only the streams of a
 * Blob return the small pieces in which Node reads a file, so that their memory can be freed. `arrayBuffer` joins them.
 */
export function readBlob(blob: unknown): SourceFile["read"] | undefined {
  if (!(blob instanceof Blob) || blob.stream !== Blob.prototype.stream || !isByteStream(blob.slice(0, 0).stream())) {
    return undefined;
  }
  return () => {
    let start = 0;
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    return async () => {
      for (;;) {
        const piece = (await reader?.read())?.value;
        if (piece !== undefined || start >= blob.size) return piece;
        reader = blob
          .slice(start, Math.min(start + STREAMED, blob.size))
          .stream()
          .getReader();
        start += STREAMED;
      }
    };
  };
}

/** The methods through which others can get the pieces of a stream of a file, if a program replaces them. */
const METHODS = ["_read", "emit", "push", "read", "unshift"];

/**
 * Returns a function for each piece of a stream, which returns whether only the caller has it. This is certain for a byte stream, and for
 * a new stream of a file without another reader, because Node creates each piece of a file for the readers of its stream.
 */
export async function watchPieces(stream: object): Promise<(piece: Uint8Array) => boolean> {
  if (isByteStream(stream)) return () => true;
  const { default: fs } = await import("node:fs");
  if (Object.getPrototypeOf(stream) !== fs.ReadStream.prototype) return () => false;
  const file = stream as ReadStream;
  const isNew = !file.readableDidRead && file.bytesRead === file.readableLength && file.listenerCount("data") === 0;
  let isOnlyReader = isNew && usesFileSystem(file, fs) && !METHODS.some((name) => Object.hasOwn(file, name));
  file.on("newListener", (event) => {
    if (event === "data") isOnlyReader = false;
  });
  let received = 0;
  return ({ length }) => {
    received += length;
    // Otherwise the program has added bytes with `unshift`.
    isOnlyReader &&= received + file.readableLength === file.bytesRead;
    return isOnlyReader;
  };
}

/** Returns whether a stream reads with the functions of Node. The option `fs` replaces them. */
function usesFileSystem(stream: ReadStream, fs: unknown): boolean {
  const symbol = Object.getOwnPropertySymbols(stream).find(({ description }) => description === "kFs");
  return symbol !== undefined && Reflect.get(stream, symbol) === fs;
}

/** Returns whether this is a byte stream of Node, which transfers the memory of each piece to its reader. */
function isByteStream(stream: object): boolean {
  const { prototype } = globalThis.ReadableStream ?? {};
  if (Object.getPrototypeOf(stream) !== prototype || Object.hasOwn(stream, "getReader")) return false;
  try {
    (stream as ReadableStream).getReader({ mode: "byob" }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

/** Provides the bytes of a source to the addon, whenever a request has room for them, until the call has ended. */
export async function provide(source: Source, pending: PendingCall): Promise<void> {
  // The outcome of the call reports a failure of the binding.
  const next = async () => (await pending.nextFileRequest?.().catch(() => null)) ?? null;
  for (let request = await next(); request !== null; request = await next()) {
    try {
      if (request === "start") source.start();
      for (let hasRoom: boolean | undefined = true; hasRoom; ) {
        const piece = await source.read();
        if (piece === undefined) pending.endFile?.();
        // The garbage collector would free the memory of many pieces late.
        hasRoom = piece && pending.provideFile?.(piece, source.spare);
      }
    } catch (error) {
      pending.endFile?.(messageOf(error));
    }
  }
}
