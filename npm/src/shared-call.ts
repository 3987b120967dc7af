import { onAbort } from "./abort.js";

/** How long a result is reused, in milliseconds. */
const REUSE_FOR = 10_000;

interface Started<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  /** The number of callers that wait for the result. */
  waiting: number;
  /** The time until which the result is reused. */
  expires: number;
}

/** Shares the result of one call among the callers that need it at about the same time. Failures are not reused. */
export class SharedCall<T> {
  readonly #call: (signal: AbortSignal) => Promise<T>;
  #last: Started<T> | undefined;

  /** @param call Makes the call. Its signal is aborted when no caller waits for the result any more. */
  constructor(call: (signal: AbortSignal) => Promise<T>) {
    this.#call = call;
  }

  /**
   * Returns the result of the call in flight, of a recent call or of a new call.
   *
   * @param signal Ends the wait of this caller.
   * @param fresh Whether to make a new call in any case. Later callers share it.
   */
  async get(signal: AbortSignal, fresh: boolean): Promise<T> {
    if (fresh || (this.#last !== undefined && performance.now() >= this.#last.expires)) this.forget();
    this.#last ??= this.#start();
    const started = this.#last;
    started.waiting += 1;
    const leave = () => {
      started.waiting -= 1;
      if (started.waiting > 0 || started.expires !== Infinity) return;
      started.controller.abort();
      this.#drop(started);
    };
    const removeListener = onAbort(signal, leave);
    return started.result.finally(removeListener);
  }

  /** Forgets the last result, because it is outdated. */
  forget(): void {
    this.#last = undefined;
  }

  #start(): Started<T> {
    const controller = new AbortController();
    const result = this.#call(controller.signal);
    const started: Started<T> = { result, controller, waiting: 0, expires: Infinity };
    result.then(
      () => (started.expires = performance.now() + REUSE_FOR),
      () => this.#drop(started),
    );
    return started;
  }

  #drop(started: Started<T>): void {
    if (this.#last === started) this.forget();
  }
}
