import { onAbort } from "./abort.js";
import type { AbortSignalLike } from "./ambient.js";
import { abortError, type TimeoutError, timeoutError } from "./errors.js";
import type { Delivered } from "./types.js";

/** The part of the message of a timeout error if a channel does not open in time. */
export const NOT_OPENED = "the channel did not open";

/** The time limit and the abort signal of one operation. All steps of the operation share them. */
export class Deadline {
  readonly #operation: string;
  readonly #limit: number;
  readonly #end: number;
  readonly #signal: AbortSignalLike | undefined;

  /** @param limit The time limit in milliseconds; `undefined` means no limit. */
  constructor(operation: string, limit: number | undefined, signal: AbortSignalLike | undefined) {
    this.#operation = operation;
    this.#limit = limit ?? Infinity;
    this.#end = performance.now() + this.#limit;
    this.#signal = signal;
  }

  /** The remaining time, in milliseconds. */
  get remaining(): number {
    return Math.max(this.#end - performance.now(), 0);
  }

  /** Creates the error for an exceeded deadline. `missing` describes what did not happen in time. */
  timeoutError(missing: string, delivered: Delivered): TimeoutError {
    return timeoutError(this.#operation, this.#limit, missing, delivered);
  }

  /** @throws AbortError if the signal is aborted. */
  throwIfAborted(delivered: Delivered = "no"): void {
    if (this.#signal?.aborted) throw abortError(this.#operation, this.#signal.reason, delivered);
  }

  /**
   * Creates a promise like `new Promise`, which also rejects when the time runs out or the signal is aborted.
   *
   * @param start The executor. It must not settle the promise synchronously. It may return a function, which is called
   *   when the promise settles.
   * @param missing What did not happen in time, for the message of the error.
   */
  promise<T>(
    start: (resolve: (value: T) => void, reject: (error: unknown) => void) => (() => void) | undefined,
    missing: string,
    delivered: Delivered = "no",
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.throwIfAborted(delivered);
      let timer: ReturnType<typeof setTimeout> | undefined;
      let stop: (() => void) | undefined;
      const settle = (end: () => void) => {
        clearTimeout(timer);
        removeListener();
        stop?.();
        end();
      };
      const abort = () => settle(() => reject(abortError(this.#operation, this.#signal?.reason, delivered)));
      const expire = () => settle(() => reject(this.timeoutError(missing, delivered)));
      if (this.#limit !== Infinity) timer = setTimeout(expire, this.remaining);
      const removeListener = onAbort(this.#signal, abort);
      stop = start(
        (value) => settle(() => resolve(value)),
        (error) => settle(() => reject(error)),
      );
    });
  }

  /** Waits for `work` until the deadline. If the deadline passes, `work` continues, but its result is ignored. */
  wait<T>(work: Promise<T>, missing: string, delivered?: Delivered): Promise<T> {
    return this.promise((resolve, reject) => void work.then(resolve, reject), missing, delivered);
  }

  /** Waits for `time` milliseconds. */
  sleep(time: number, missing: string): Promise<void> {
    return this.promise((resolve) => {
      const timer = setTimeout(resolve, time);
      return () => clearTimeout(timer);
    }, missing);
  }
}
