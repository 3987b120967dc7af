/** The minimum delay between a response and the next request, in milliseconds. */
const INTERVAL = {
  /** For a short time after an input or an event. */
  active: 100,
  steady: 250,
  /** While the screen does not change. */
  idle: 1_000,
  /** While the page is hidden. */
  hidden: 10_000,
};
/** The time for which the active interval is used after an input or an event, in milliseconds. */
const ACTIVE_DURATION = 3_000;
/** The number of consecutive unchanged responses after which the screen counts as idle. */
const IDLE_AFTER = 8;
const MIN_RETRY_DELAY = 1_000;
const MAX_RETRY_DELAY = 10_000;
/** The time after which a pending request is reported as slow, and the interval of later reports, in milliseconds. */
const SLOW = { after: 2_000, interval: 1_000 };
/** The maximum factor by which rate limit errors increase the delays. */
const MAX_SLOWDOWN = 16;

export interface FeedOptions {
  /** Fetches a screenshot. Returns `undefined` if the screen has not changed. */
  fetch(signal: AbortSignal): Promise<Blob | undefined>;
  draw(image: ImageBitmap): void;
  /** Called when a screenshot arrives or the server responds that the screen has not changed. */
  onResponse(stats: FeedStats): void;
  /** Called repeatedly while a request is slow. `duration` is the time since its start, in milliseconds. */
  onSlow(duration: number): void;
  onError(error: unknown, failure: FeedFailure): void;
}

/** The details of a failed screenshot request. */
export interface FeedFailure {
  /** The number of consecutive failures. */
  count: number;
  /** The time until the next attempt, in milliseconds. */
  delay: number;
}

/** The statistics of the feed. */
export interface FeedStats {
  /** The number of responses in the last second. */
  rate: number;
  /** The time from the request to the complete response, in milliseconds. */
  latency: number;
}

/**
 * A live view that consists of screenshots. It requests the next screenshot after it has received and decoded the last one, so
 * even a slow connection has at most one request at a time. Inputs and events shorten the interval.
 */
export class ScreenFeed {
  readonly #options: FeedOptions;
  #run: AbortController | undefined;
  #activeUntil = 0;
  #unchanged = 0;
  #failures = 0;
  #slowdown = 1;
  #wake: (() => void) | undefined;
  #arrivals: number[] = [];

  constructor(options: FeedOptions) {
    this.#options = options;
    document.addEventListener("visibilitychange", () => this.speedUp());
  }

  start(): void {
    this.stop();
    this.#failures = 0;
    this.#slowdown = 1;
    this.#run = new AbortController();
    this.speedUp();
    void this.#loop(this.#run.signal);
  }

  stop(): void {
    this.#run?.abort();
    this.#run = undefined;
    this.#wake?.();
  }

  /** Uses the active interval for `ACTIVE_DURATION`. Called when the screen is likely to change. */
  speedUp(): void {
    this.#activeUntil = performance.now() + ACTIVE_DURATION;
    this.#unchanged = 0;
    if (this.#failures === 0) this.#wake?.();
  }

  /** Retries a failed request now. */
  retry(): void {
    if (this.#failures > 0) this.#wake?.();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    let retry = MIN_RETRY_DELAY;
    while (!signal.aborted) {
      const started = performance.now();
      try {
        await this.#next(signal, started);
        retry = MIN_RETRY_DELAY;
        this.#failures = 0;
        await this.#pause(this.#interval() * this.#slowdown, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Error && error.name === "RateLimitError")
          this.#slowdown = Math.min(this.#slowdown * 2, MAX_SLOWDOWN);
        this.#failures += 1;
        this.#options.onError(error, { count: this.#failures, delay: retry });
        await this.#wait(retry);
        retry = Math.min(retry * 2, MAX_RETRY_DELAY);
      }
    }
  }

  async #next(signal: AbortSignal, started: number): Promise<void> {
    const slowTimer = window.setInterval(() => {
      const duration = performance.now() - started;
      if (duration >= SLOW.after && !signal.aborted) this.#options.onSlow(duration);
    }, SLOW.interval);
    const blob = await this.#options.fetch(signal).finally(() => clearInterval(slowTimer));
    const now = performance.now();
    const latency = now - started;
    if (blob === undefined) {
      this.#unchanged += 1;
    } else {
      const image = await createImageBitmap(blob);
      if (!signal.aborted) this.#options.draw(image);
      image.close();
      this.#unchanged = 0;
    }
    if (signal.aborted) return;
    this.#arrivals = [...this.#arrivals.filter((at) => at > now - 1_000), now];
    this.#options.onResponse({ rate: this.#arrivals.length, latency });
  }

  #interval(): number {
    if (document.visibilityState === "hidden") return INTERVAL.hidden;
    if (performance.now() < this.#activeUntil) return INTERVAL.active;
    return this.#unchanged >= IDLE_AFTER ? INTERVAL.idle : INTERVAL.steady;
  }

  /** Waits for `length` milliseconds. `speedUp` can end the wait after the active interval. */
  async #pause(length: number, signal: AbortSignal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, Math.min(length, INTERVAL.active)));
    if (signal.aborted || length <= INTERVAL.active || performance.now() < this.#activeUntil) return;
    await this.#wait(length - INTERVAL.active);
  }

  /** Waits until `#wake` is called, at most `length` milliseconds. */
  async #wait(length: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, length);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
