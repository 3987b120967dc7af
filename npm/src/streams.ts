import type { WebReadableStream, WebWritableStream } from "./ambient.js";

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

/** A stream that hands over what is written to it; what `write` throws breaks it. */
export function writableTo<T>(write: (chunk: T) => void): WebWritableStream<T> {
  return new WritableStream<T>({ write }) as unknown as WebWritableStream<T>;
}
