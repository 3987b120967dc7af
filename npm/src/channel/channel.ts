import { asyncDispose } from "../ambient.js";
import type { BindingChannel, ChannelTarget } from "../binding.js";
import { Bounds } from "../bounded.js";
import { Emitter } from "../emitter.js";
import { ChannelClosedError, errorThrown } from "../errors.js";
import { checkWaitOptions, type WaitOptions } from "../options.js";
import type { ChannelState, CloseCause, Counters } from "../types.js";

/** What did not happen when the time for it ran out. */
export const NOT_OPENED = "the channel did not open";

/** The events that every channel has. */
export interface ChannelEvents {
  /** The connection's state changed. */
  state: [state: ChannelState];
  /** The server sent an error message, in order with the other items. The channel may go on. */
  error: [message: string];
}

/**
 * What the channels have in common: a connection that is redialled when it breaks, and a sequence of items.
 *
 * Each item goes to one reader. Leaving a `for await` loop leaves the channel open, and the next loop goes on where
 * the last one stopped; {@link close} or `await using` ends the channel. A loop ends by itself when the channel ended
 * as it should, and throws a {@link ChannelClosedError} when it broke for good.
 */
export abstract class Channel<Raw, Item, Events extends ChannelEvents & Record<keyof Events, unknown[]>>
  extends Emitter<Events>
  implements AsyncIterable<Item>
{
  readonly #name: string;
  readonly #binding: BindingChannel<Raw>;
  #state: ChannelState;
  #changed: (() => void)[] = [];
  #pulling: Promise<boolean> | undefined;

  /** @internal */
  constructor(name: string, binding: BindingChannel<Raw>) {
    super();
    this.#name = name;
    this.#binding = binding;
    this.#state = binding.state();
    void this.#watch();
  }

  /** The connection's state now. */
  get state(): ChannelState {
    return this.#binding.state();
  }

  /** What came and went so far. */
  get counters(): Counters {
    return this.#binding.counters();
  }

  /** Ends the channel. Items that arrived before can still be taken. Resolves when it has ended. */
  async close(): Promise<void> {
    this.#binding.close();
    while (this.#state.status !== "closed") await this.#change();
  }

  /** {@link close}, at the end of an `await using` block. */
  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The items one after the other. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for (let item = await this.nextItem(); item !== undefined; item = await this.nextItem()) yield item;
  }

  /**
   * The next item, as a loop would get it; `undefined` when the channel ended as it should. What comes after the wait was
   * given up stays for the next reader.
   *
   * @throws TimeoutError if none comes in time, ChannelClosedError if the channel broke for good.
   */
  async read(options: WaitOptions = {}): Promise<Item | undefined> {
    const operation = `${this.#name}.read`;
    checkWaitOptions(operation, options);
    const bounds = new Bounds(operation, options.timeout, options.signal);
    bounds.check();
    return this.nextItem(undefined, () => bounds.wait(this.pull(), "nothing came"));
  }

  /** Sorts what the binding handed over: into a buffer for {@link take}, or to listeners. */
  protected abstract accept(item: Raw): void;

  /** The next item that was handed over already. */
  protected abstract take(): Item | undefined;

  /** The next item; `undefined` when the channel ended as it should, or when it is not wanted any more. */
  protected async nextItem(wanted = () => true, pull = () => this.pull()): Promise<Item | undefined> {
    while (wanted()) {
      const item = this.take();
      if (item !== undefined) return item;
      if (await pull()) continue;
      const broken = this.broken();
      if (broken !== undefined) throw broken;
      break;
    }
    return undefined;
  }

  /** Takes the next items from the binding; `false` when there are no more. Called only when somebody wants one. */
  protected pull(): Promise<boolean> {
    this.#pulling ??= this.#binding
      .next()
      .then(
        (items) => {
          for (const item of items ?? []) this.accept(item);
          return items !== null;
        },
        (thrown: unknown) => {
          throw errorThrown(thrown);
        },
      )
      .finally(() => {
        this.#pulling = undefined;
      });
    return this.#pulling;
  }

  /** Why the channel ended, if it ended otherwise than it should. */
  protected broken(): ChannelClosedError | undefined {
    const state = this.#binding.state();
    return state.status === "closed" && !isProperEnd(state.cause) ? closed(state.cause) : undefined;
  }

  /** What is done once the connection is closed for good. */
  protected ended(_cause: CloseCause): void {}

  /**
   * Waits for the server to accept the channel. Closes it if it does not come to that.
   *
   * @internal
   */
  async opened(bounds: Bounds): Promise<this> {
    try {
      for (;;) {
        const state = this.#state;
        if (state.status === "open" || state.status === "unstable") return this;
        if (state.status === "closed") {
          if (isProperEnd(state.cause)) return this;
          throw closed(state.cause);
        }
        await bounds.wait(this.#change(), NOT_OPENED, "maybe");
      }
    } catch (error) {
      this.#binding.close();
      throw error;
    }
  }

  /**
   * Answers the binding's questions for a password until the channel has ended.
   *
   * @internal
   */
  async refreshBy(refresh: () => Promise<ChannelTarget>): Promise<void> {
    // A broken binding shows in the state.
    while (await this.#binding.nextPasswordRequest().catch(() => false)) {
      // An answer that never comes does not keep the next question from being asked.
      refresh().then(
        (target) => this.#binding.providePassword(target),
        (error: unknown) => this.#binding.providePassword(undefined, error instanceof Error ? error.message : String(error)),
      );
    }
  }

  async #watch(): Promise<void> {
    try {
      for (let state = await this.#binding.nextState(); state !== null; state = await this.#binding.nextState()) {
        this.#enter(state);
      }
    } catch (thrown) {
      // Only a broken binding comes here, and it cannot say more about the channel.
      this.#enter({ status: "closed", cause: { reason: "failed", message: errorThrown(thrown).message } });
    }
  }

  #enter(state: ChannelState): void {
    this.#state = state;
    // The events of a subclass include those of every channel, which the compiler cannot see from its bound.
    (this as unknown as Channel<Raw, Item, ChannelEvents & Record<never, never>>).emit("state", state);
    if (state.status === "closed") this.ended(state.cause);
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

function isProperEnd(cause: CloseCause): boolean {
  return cause.reason === "normal" || cause.reason === "exit";
}

/** The error of a channel that ended. */
export function closed(cause: CloseCause): ChannelClosedError {
  return new ChannelClosedError({ kind: "closed", message: cause.message, delivered: "no", cause });
}
