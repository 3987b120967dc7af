import { onAbort } from "./abort.js";
import type { AbortSignalLike } from "./ambient.js";
import { abortError, type TimeoutError, timeoutError } from "./errors.js";
import type { Delivered } from "./types.js";

interface Follower<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

const allFollowers = new WeakMap<Promise<unknown>, Set<Follower<unknown>>>();

/**
 * Calls one of the functions when a promise settles. Returns a function that cancels this.
 *
 * All followers of a promise share one reaction. A promise keeps each reaction until it settles, so a program that waits repeatedly
 * with a short time limit would otherwise fill the memory.
 */
export function follow<T>(promise: Promise<T>, resolve: (value: T) => void, reject: (error: unknown) => void): () => void {
  const followers = (allFollowers.get(promise) ?? startFollowing(promise)) as Set<Follower<T>>;
  const follower = { resolve, reject };
  followers.add(follower);
  return () => followers.delete(follower);
}

function startFollowing<T>(promise: Promise<T>): Set<Follower<T>> {
  const followers = new Set<Follower<T>>();
  allFollowers.set(promise, followers as Set<Follower<never>> as Set<Follower<unknown>>);
  // A follower that is added later follows a settled promise.
  const settle = (notify: (follower: Follower<T>) => void) => {
    allFollowers.delete(promise);
    for (const follower of followers) notify(follower);
  };
  promise.then(
    (value) => settle(({ resolve }) => resolve(value)),
    (error: unknown) => settle(({ reject }) => reject(error)),
  );
  return followers;
}

/** The part of the message of a timeout error if a channel does not open in time. */
export const NOT_OPENED = "the channel did not open";

/** @throws AbortError if the signal is aborted. */
export function throwIfAborted(operation: string, signal: AbortSignalLike | undefined, delivered: Delivered): void {
  if (signal?.aborted) throw abortError(operation, signal.reason, delivered);
}

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
    throwIfAborted(this.#operation, this.#signal, delivered);
  }

  /**
   * Creates a promise like `new Promise`, which also rejects when the time runs out or the signal is aborted.
   *
   * @param start The executor. It must not settle the promise synchronously. It returns a function, which is called when the
   *   promise settles.
   * @param missing What did not happen in time, for the message of the error.
   */
  promise<T>(
    start: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
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
    return this.promise((resolve, reject) => follow(work, resolve, reject), missing, delivered);
  }

  /** Waits for `time` milliseconds. */
  sleep(time: number, missing: string): Promise<void> {
    return this.promise((resolve) => {
      const timer = setTimeout(resolve, time);
      return () => clearTimeout(timer);
    }, missing);
  }
}
