import type { AbortSignalLike, WebReadableStream, WebWritableStream } from "./ambient.js";

/**
 * A stream of what `read` gives until that is undefined. It takes no more than is read from the stream; `read` is told
 * by `wanted` that the stream was cancelled while it waited.
 */
export function readableFrom<T>(read: (wanted: () => boolean) => Promise<T | undefined>): WebReadableStream<T> {
  let cancelled = false;
  const stream = new ReadableStream<T>(
    {
      async pull(controller) {
        const item = await read(() => !cancelled);
        if (cancelled) return;
        if (item === undefined) controller.close();
        else controller.enqueue(item);
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return stream as unknown as WebReadableStream<T>;
}

/**
 * A stream that takes what is written to it by `write`, and ends with `close`. What they throw breaks it; the signal is
 * aborted when the stream is.
 */
export function writableTo<T>(
  write: (chunk: T, signal: AbortSignalLike) => Promise<void>,
  close: () => Promise<void>,
): WebWritableStream<T> {
  const stream = new WritableStream<T>({ write: (chunk, { signal }) => write(chunk, signal), close });
  return stream as unknown as WebWritableStream<T>;
}
