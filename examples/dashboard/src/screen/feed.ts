/** The shortest time from one picture's arrival to the next request, in milliseconds. */
const PACE = {
  /** Just after an input or an event. */
  active: 100,
  steady: 250,
  /** While nothing changes. */
  idle: 1_000,
  /** While nobody sees the page. */
  hidden: 10_000,
};
/** How long an input or an event keeps the pace up, in milliseconds. */
const ACTIVE = 3_000;
/** After how many answers without a change nothing is thought to change. */
const EQUAL = 8;
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 10_000;
/** How long a picture may be on its way before that is told, and how often it is told then, in milliseconds. */
const LATE = { first: 2_000, again: 1_000 };
/** How much slower than usual the pictures are asked for at most, where the service asks to slow down. */
const SLOWEST = 16;

export interface FeedOptions {
  /** Fetches a picture; `undefined` if the screen still looks as in the last one. */
  take(signal: AbortSignal): Promise<Blob | undefined>;
  draw(picture: ImageBitmap): void;
  /** A picture arrived, or the answer that nothing has changed. */
  arrived(figures: FeedFigures): void;
  /** A picture is on its way for a number of milliseconds. Called again and again until it arrives or fails. */
  late(duration: number): void;
  failed(error: unknown, failure: FeedFailure): void;
}

/** A picture that did not come. */
export interface FeedFailure {
  /** How many did not come, one after the other. */
  count: number;
  /** Milliseconds until the next try. */
  delay: number;
}

/** How fast pictures come. */
export interface FeedFigures {
  /** Pictures in the last second. */
  rate: number;
  /** Milliseconds from the request to the whole picture. */
  latency: number;
}

/**
 * A live view made of pictures: the next one is asked for when the last one has arrived and is decoded, so that a slow
 * link is never flooded, and sooner while something happens.
 */
export class ScreenFeed {
  readonly #options: FeedOptions;
  #run: AbortController | undefined;
  #activeUntil = 0;
  #equal = 0;
  #failures = 0;
  #slowness = 1;
  #wake: (() => void) | undefined;
  #arrivals: number[] = [];

  constructor(options: FeedOptions) {
    this.#options = options;
    document.addEventListener("visibilitychange", () => this.hurry());
  }

  start(): void {
    this.stop();
    this.#failures = 0;
    this.#slowness = 1;
    this.#run = new AbortController();
    this.hurry();
    void this.#loop(this.#run.signal);
  }

  stop(): void {
    this.#run?.abort();
    this.#run = undefined;
    this.#wake?.();
  }

  /** Something happens on the screen: the next picture is wanted soon. */
  hurry(): void {
    this.#activeUntil = performance.now() + ACTIVE;
    this.#equal = 0;
    if (this.#failures === 0) this.#wake?.();
  }

  /** There is reason to think that the next try succeeds. */
  retry(): void {
    if (this.#failures > 0) this.#wake?.();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    let retry = FIRST_RETRY;
    while (!signal.aborted) {
      const started = performance.now();
      try {
        await this.#next(signal, started);
        retry = FIRST_RETRY;
        this.#failures = 0;
        await this.#pause(this.#pace() * this.#slowness, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Error && error.name === "RateLimitError") this.#slowness = Math.min(this.#slowness * 2, SLOWEST);
        this.#failures += 1;
        this.#options.failed(error, { count: this.#failures, delay: retry });
        await this.#wait(retry);
        retry = Math.min(retry * 2, LONGEST_RETRY);
      }
    }
  }

  async #next(signal: AbortSignal, started: number): Promise<void> {
    const late = window.setInterval(() => {
      const duration = performance.now() - started;
      if (duration >= LATE.first && !signal.aborted) this.#options.late(duration);
    }, LATE.again);
    const blob = await this.#options.take(signal).finally(() => clearInterval(late));
    const now = performance.now();
    const latency = now - started;
    if (blob === undefined) {
      this.#equal += 1;
    } else {
      const picture = await createImageBitmap(blob);
      if (!signal.aborted) this.#options.draw(picture);
      picture.close();
      this.#equal = 0;
    }
    if (signal.aborted) return;
    this.#arrivals = [...this.#arrivals.filter((at) => at > now - 1_000), now];
    this.#options.arrived({ rate: this.#arrivals.length, latency });
  }

  #pace(): number {
    if (document.visibilityState === "hidden") return PACE.hidden;
    if (performance.now() < this.#activeUntil) return PACE.active;
    return this.#equal >= EQUAL ? PACE.idle : PACE.steady;
  }

  /** Waits, at least for the pace of activity, and no longer once there is a reason to hurry. */
  async #pause(length: number, signal: AbortSignal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, Math.min(length, PACE.active)));
    if (signal.aborted || length <= PACE.active || performance.now() < this.#activeUntil) return;
    await this.#wait(length - PACE.active);
  }

  /** Waits until somebody calls `#wake`, and no longer than `length` milliseconds. */
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
