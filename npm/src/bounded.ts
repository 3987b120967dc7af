import type { AbortSignalLike } from "./ambient.js";
import { aborted, timedOut } from "./errors.js";

/**
 * What `work` gives, unless a limit in milliseconds runs out or the signal is aborted before: then the work goes on,
 * and nobody waits for it.
 */
export function bounded<T>(
  operation: string,
  work: Promise<T>,
  what: string,
  limit: number,
  signal: AbortSignalLike | undefined,
): Promise<T> {
  if (signal?.aborted) return Promise.reject(aborted(operation, signal.reason, "no"));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(timedOut(operation, limit, what, "no"))), limit);
    const abort = () => settle(() => reject(aborted(operation, signal?.reason, "no")));
    const settle = (end: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      end();
    };
    signal?.addEventListener("abort", abort);
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
