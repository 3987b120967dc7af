/** How long a result is reused, in milliseconds. */
const REUSE_FOR = 10_000;

/** The wait of one caller for a result. */
export interface Waiting<T> {
  readonly result: Promise<T>;
  /** Ends the wait. The call is aborted when no caller waits for its result. */
  cancel(): void;
}

interface Started<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  /** The number of callers that have not canceled their wait. */
  waiting: number;
  /** The time until which the result is reused. */
  expires: number;
}

/** Shares the result of one call among the callers that need it at about the same time. Failures are not reused. */
export class SharedCall<T> {
  readonly #call: (signal: AbortSignal) => Promise<T>;
  #last: Started<T> | undefined;

  constructor(call: (signal: AbortSignal) => Promise<T>) {
    this.#call = call;
  }

  /**
   * Returns the result of the call in flight, of a recent call or of a new call.
   *
   * @param fresh Whether to make a new call in any case. Later callers share it.
   */
  get(fresh: boolean): Waiting<T> {
    if (fresh || (this.#last !== undefined && performance.now() >= this.#last.expires)) this.forget();
    this.#last ??= this.#start();
    const started = this.#last;
    started.waiting += 1;
    const cancel = () => {
      started.waiting -= 1;
      if (started.waiting > 0 || started.expires !== Infinity) return;
      started.controller.abort();
      this.#drop(started);
    };
    return { result: started.result, cancel };
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
