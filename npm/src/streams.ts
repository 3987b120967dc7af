import type { WebReadableStream, WebWritableStream } from "./ambient.js";

/** A stream of what an iterator gives, which takes no more of it than is read from the stream. */
export function readableFrom<T>(iterator: AsyncIterator<T, unknown, undefined>): WebReadableStream<T> {
  const stream = new ReadableStream<T>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
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
