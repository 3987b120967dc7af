import { onAbort } from "./abort.js";
import type { AbortSignalLike } from "./ambient.js";
import { aborted, type TimeoutError, timedOut } from "./errors.js";
import type { Delivered } from "./types.js";

/** The time limit and the signal of one operation, for all of its steps together. */
export class Bounds {
  readonly #operation: string;
  readonly #limit: number;
  readonly #end: number;
  readonly #signal: AbortSignalLike | undefined;

  /** @param limit in milliseconds; `undefined` is none. */
  constructor(operation: string, limit: number | undefined, signal: AbortSignalLike | undefined) {
    this.#operation = operation;
    this.#limit = limit ?? Infinity;
    this.#end = performance.now() + this.#limit;
    this.#signal = signal;
  }

  /** What is left of the time, in milliseconds. */
  get left(): number {
    return Math.max(this.#end - performance.now(), 0);
  }

  /** The error of the time that ran out; `missing` is what then did not happen. */
  late(missing: string, delivered: Delivered): TimeoutError {
    return timedOut(this.#operation, this.#limit, missing, delivered);
  }

  /** @throws AbortError if the signal is aborted. */
  check(delivered: Delivered = "no"): void {
    if (this.#signal?.aborted) throw aborted(this.#operation, this.#signal.reason, delivered);
  }

  /**
   * A promise as `new Promise` makes it, which also rejects when the time has run out or the signal is aborted.
   *
   * @param start begins what is waited for, which does not end at once; what it returns is called at the end, however
   * that came.
   * @param missing what then did not happen, for the error's text.
   */
  promise<T>(
    start: (resolve: (value: T) => void, reject: (error: unknown) => void) => (() => void) | undefined,
    missing: string,
    delivered: Delivered = "no",
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.check(delivered);
      let timer: ReturnType<typeof setTimeout> | undefined;
      let stop: (() => void) | undefined;
      const settle = (end: () => void) => {
        clearTimeout(timer);
        forget();
        stop?.();
        end();
      };
      const abort = () => settle(() => reject(aborted(this.#operation, this.#signal?.reason, delivered)));
      const late = () => settle(() => reject(this.late(missing, delivered)));
      if (this.#limit !== Infinity) timer = setTimeout(late, this.left);
      const forget = onAbort(this.#signal, abort);
      stop = start(
        (value) => settle(() => resolve(value)),
        (error) => settle(() => reject(error)),
      );
    });
  }

  /** What `work` gives, within the bounds: beyond them it goes on, and nobody waits for it. */
  wait<T>(work: Promise<T>, missing: string, delivered?: Delivered): Promise<T> {
    return this.promise((resolve, reject) => void work.then(resolve, reject), missing, delivered);
  }

  /** Lets time pass, in milliseconds. */
  pause(time: number, missing: string): Promise<void> {
    return this.promise((resolve) => {
      const timer = setTimeout(resolve, time);
      return () => clearTimeout(timer);
    }, missing);
  }
}
