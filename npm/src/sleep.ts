import type { AbortSignalLike } from "./ambient.js";
import { aborted } from "./errors.js";

/** Resolves after a time in milliseconds; rejects with an `AbortError` if the signal is aborted before. */
export function sleep(operation: string, time: number, signal: AbortSignalLike | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", settle);
      if (signal?.aborted) reject(aborted(operation, signal.reason, "no"));
      else resolve();
    };
    const timer = setTimeout(settle, time);
    signal?.addEventListener("abort", settle);
    if (signal?.aborted) settle();
  });
}
