import { asyncDispose } from "../ambient.js";
import type { BindingChannel, ChannelTarget, PasswordProblem } from "../binding.js";
import { Deadline, NOT_OPENED } from "../deadline.js";
import { Emitter } from "../emitter.js";
import { ChannelClosedError, messageOf, OrgoError, toOrgoError } from "../errors.js";
import { checkWaitOptions, defined, type WaitOptions } from "../options.js";
import type { Waiting } from "../shared-call.js";
import type { ChannelState, CloseCause, Counters } from "../types.js";
import type { RefreshTarget } from "./open.js";

/** The events of all channels. */
export interface ChannelEvents {
  /** The state of the connection changed. */
  state: [state: ChannelState];
  /** The server sent an error message. The event is emitted in the order of the items. The channel may stay open. */
  error: [message: string];
}

/**
 * The common part of all channels: a connection that reconnects automatically, and a sequence of items.
 *
 * Each item is delivered to one reader. Leaving a `for await` loop does not close the channel: the next loop continues with the
 * next item. {@link close} or `await using` closes the channel. A loop ends when the channel is closed normally, and throws a
 * {@link ChannelClosedError} when the channel failed.
 */
export abstract class Channel<Raw, Item, Events extends ChannelEvents & Record<keyof Events, unknown[]>>
  extends Emitter<Events>
  implements AsyncIterable<Item>
{
  readonly #name: string;
  readonly #binding: BindingChannel<Raw>;
  #state: ChannelState;
  #stateWaiters: (() => void)[] = [];
  #pulling: Promise<boolean> | undefined;
  /** Handles the result of the binding's `next`. Both functions exist once, because a channel uses them for every batch. */
  readonly #received = (items: Raw[] | null): boolean | Promise<boolean> =>
    this.#lagsBehind() ? this.#awaitReconnect().then(() => this.#acceptAll(items)) : this.#acceptAll(items);
  readonly #failed = (thrown: unknown): never => {
    this.#pulling = undefined;
    throw toOrgoError(thrown);
  };

  /** @internal */
  constructor(name: string, events: readonly Exclude<keyof Events, keyof ChannelEvents>[], binding: BindingChannel<Raw>) {
    super(name, ["state", "error", ...events]);
    this.#name = name;
    this.#binding = binding;
    this.#state = binding.state();
    this.#watchState();
  }

  /** The current state of the connection. */
  get state(): ChannelState {
    return this.#binding.state();
  }

  /**
   * The counters of the items and the input so far. In a page, those of a live screen can be some seconds old: reading them requests
   * newer ones.
   */
  get counters(): Counters {
    return this.#binding.counters();
  }

  /** Closes the channel, and resolves when it is closed. Items that arrived earlier can still be read. */
  async close(): Promise<void> {
    this.#binding.close();
    while (this.#state.status !== "closed") await this.#stateChange();
  }

  /** Closes the channel at the end of an `await using` block. See {@link close}. */
  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Iterates over the items until the channel is closed.
   *
   * @throws ChannelClosedError if the channel failed.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    let ended = false;
    const last = (): IteratorResult<Item, void> => {
      ended = true;
      return { done: true, value: undefined };
    };
    const failed = (error: unknown): never => {
      ended = true;
      throw error;
    };
    const pulled = (more: boolean): IteratorResult<Item, void> | Promise<IteratorResult<Item, void>> => {
      const item = this.take();
      if (item !== undefined) return { done: false, value: item };
      if (more) return this.pull().then(pulled, failed);
      const failure = this.failure();
      return failure === undefined ? last() : failed(failure);
    };
    // Not an async generator, which needs several promises for each item, even for an item that is already buffered.
    const iterator = {
      next: (): Promise<IteratorResult<Item, void>> => {
        if (ended) return Promise.resolve(last());
        const item = this.take();
        return item === undefined ? this.pull().then(pulled, failed) : Promise.resolve({ done: false, value: item });
      },
      return: () => Promise.resolve(last()),
      throw: (error: unknown) => Promise.reject(error).catch(failed),
      [Symbol.asyncIterator]: () => iterator,
      [asyncDispose]: async () => void last(),
    };
    return iterator as unknown as AsyncGenerator<Item, void, undefined>;
  }

  /**
   * Reads the next item. Resolves with `undefined` when the channel is closed normally. An item that arrives after a
   * timeout or an abort is kept for the next reader.
   *
   * @throws TimeoutError if no item arrives in time; AbortError; ChannelClosedError if the channel failed.
   */
  async read(options: WaitOptions = {}): Promise<Item | undefined> {
    const operation = `${this.#name}.read`;
    checkWaitOptions(operation, options);
    const deadline = new Deadline(operation, options.timeout, options.signal);
    deadline.throwIfAborted();
    return this.nextItem(undefined, () => deadline.wait(this.pull(), "no item arrived"));
  }

  /** Handles an item of the binding: buffers it for {@link take}, or emits an event. */
  protected abstract accept(item: Raw): void;

  /** Removes and returns the next buffered item. */
  protected abstract take(): Item | undefined;

  /** Returns the next item, or `undefined` when the channel is closed normally or `isActive` returns `false`. */
  protected async nextItem(isActive = () => true, pull = () => this.pull()): Promise<Item | undefined> {
    while (isActive()) {
      const item = this.take();
      if (item !== undefined) return item;
      if (await pull()) continue;
      const failure = this.failure();
      if (failure !== undefined) throw failure;
      break;
    }
    return undefined;
  }

  /**
   * Gets the next items from the binding. Resolves with `false` when there are no more. Called only while a reader waits for an
   * item.
   */
  protected pull(): Promise<boolean> {
    this.#pulling ??= this.#binding.next().then(this.#received, this.#failed);
    return this.#pulling;
  }

  /** Returns the error if the channel failed, else `undefined`. */
  protected failure(): ChannelClosedError | undefined {
    const state = this.#binding.state();
    return state.status === "closed" && !isNormalClose(state.cause) ? channelClosed(state.cause) : undefined;
  }

  /** Called when the channel is closed. */
  protected onClosed(_cause: CloseCause): void {}

  /**
   * Waits until the server accepts the channel. Closes the channel if this fails.
   *
   * @internal
   */
  async waitUntilOpen(deadline: Deadline): Promise<this> {
    let missing = NOT_OPENED;
    try {
      for (;;) {
        const state = this.#state;
        if (state.status === "reconnecting") missing = `${NOT_OPENED} (the last attempt: ${state.cause.message})`;
        if (state.status === "open" || state.status === "unstable") return this;
        if (state.status === "closed") {
          if (isNormalClose(state.cause)) return this;
          throw channelClosed(state.cause);
        }
        await deadline.wait(this.#stateChange(), missing, "maybe");
      }
    } catch (error) {
      this.#binding.close();
      throw error;
    }
  }

  /**
   * Handles the password requests of the binding until the channel is closed.
   *
   * @internal
   */
  async answerPasswordRequests(refresh: RefreshTarget): Promise<void> {
    const waiting = new Set<Waiting<ChannelTarget>>();
    // The state of the channel reports a failure of the binding.
    for (let refused = false; await this.#binding.nextPasswordRequest().catch(() => false); refused = true) {
      const wait = refresh(refused);
      waiting.add(wait);
      // Not awaited, so that a `refresh` that never settles does not block the next request.
      wait.result.then(
        (target) => {
          waiting.delete(wait);
          this.#binding.providePassword(target);
        },
        (error: unknown) => {
          waiting.delete(wait);
          this.#binding.providePassword(undefined, passwordProblem(error));
        },
      );
    }
    for (const { cancel } of waiting) cancel();
  }

  #acceptAll(items: Raw[] | null): boolean {
    for (const item of items ?? []) this.accept(item);
    this.#pulling = undefined;
    return items !== null;
  }

  /** Returns whether the channel has reconnected, but the binding has not reported the new state yet. */
  #lagsBehind(): boolean {
    return this.#state.status === "reconnecting" && this.#binding.state().status !== "reconnecting";
  }

  /** Waits for the state after a reconnect, so that its event precedes the events of the items after the break. */
  async #awaitReconnect(): Promise<void> {
    while (this.#lagsBehind()) await this.#stateChange();
  }

  async #watchState(): Promise<void> {
    try {
      for (let state = await this.#binding.nextState(); state !== null; state = await this.#binding.nextState()) {
        this.#setState(state);
      }
    } catch (thrown) {
      // The binding itself failed, so it will report no more state changes.
      this.#setState({ status: "closed", cause: { reason: "failed", message: toOrgoError(thrown).message } });
    }
  }

  #setState(state: ChannelState): void {
    this.#state = state;
    // The events of a subclass include those of `ChannelEvents`, which the compiler cannot infer from the constraint.
    (this as unknown as Channel<Raw, Item, ChannelEvents & Record<never, never>>).emit("state", state);
    if (state.status === "closed") this.onClosed(state.cause);
    this.#wake();
  }

  #stateChange(): Promise<void> {
    return new Promise((resolve) => this.#stateWaiters.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#stateWaiters.splice(0)) resolve();
  }
}

/** Returns the fields of an error that the binding needs to decide whether the channel ends. */
function passwordProblem(error: unknown): PasswordProblem {
  if (!(error instanceof OrgoError)) return messageOf(error);
  const { kind, message, status, request_id } = error;
  return defined({ kind, message, status, request_id });
}

function isNormalClose(cause: CloseCause): boolean {
  return cause.reason === "normal" || cause.reason === "exit";
}

/** Creates the error of a channel that is closed. `operation`: what it refuses. */
export function channelClosed(cause: CloseCause, operation?: string): ChannelClosedError {
  const message = operation === undefined ? cause.message : `${operation}: the channel is closed (${cause.message})`;
  return new ChannelClosedError({ kind: "closed", message, delivered: "no", cause });
}
