import { onAbort } from "./abort.js";
import type { AbortSignalLike, WebReadableStream, WebWritableStream } from "./ambient.js";

/**
 * Creates a stream of the items that `read` returns, until it returns `undefined`. The stream buffers nothing: it calls
 * `read` once for each item that its reader requests. `isActive` returns `false` once the stream is canceled, which calls `onCancel`.
 */
export function createReadable<T>(
  read: (isActive: () => boolean) => Promise<T | undefined>,
  onCancel = () => {},
): WebReadableStream<T> {
  let canceled = false;
  const stream = new ReadableStream<T>(
    {
      async pull(controller) {
        const item = await read(() => !canceled);
        if (canceled) return;
        if (item === undefined) controller.close();
        else controller.enqueue(item);
      },
      cancel() {
        canceled = true;
        onCancel();
      },
    },
    { highWaterMark: 0 },
  );
  return stream as unknown as WebReadableStream<T>;
}

/** The source of a stream of bytes. */
export interface ByteSource {
  /** Returns the next bytes, or `undefined` at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Ends a read, and releases the source. */
  cancel(): void;
  /** Returns the error of the stream after an abort. */
  aborted(): Error;
}

/** Creates a stream of bytes, which the signal aborts. The stream buffers nothing: it reads when its reader reads. */
export function createByteStream(source: ByteSource, signal: AbortSignalLike | undefined): WebReadableStream<Uint8Array> {
  let removeListener = () => {};
  const end = () => {
    removeListener();
    source.cancel();
  };
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        removeListener = onAbort(signal, () => {
          source.cancel();
          controller.error(source.aborted());
        });
      },
      async pull(controller) {
        try {
          const bytes = await source.read();
          if (signal?.aborted) return;
          if (bytes !== undefined) return controller.enqueue(bytes);
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        removeListener();
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
  return stream as unknown as WebReadableStream<Uint8Array>;
}

/**
 * Creates a stream that passes each chunk to `write`, and calls `close` at its end. An exception in either of them puts
 * the stream into the errored state. `signal` is aborted when the stream is aborted.
 */
export function createWritable<T>(
  write: (chunk: T, signal: AbortSignalLike) => Promise<void>,
  close: () => Promise<void>,
): WebWritableStream<T> {
  const stream = new WritableStream<T>({ write: (chunk, { signal }) => write(chunk, signal), close });
  return stream as unknown as WebWritableStream<T>;
}
