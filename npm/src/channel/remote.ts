// A channel whose session runs elsewhere, usually in a worker.

import type { BindingChannel, ChannelTarget, Log, PasswordProblem } from "../binding.js";
import type { ChannelState, Counters } from "../generated/channels.js";

/** The messages to the session that every kind of channel has. */
export type ToSession =
  /** Requests the next items. */
  | { type: "next" }
  /** Responds to a password request: with a target that contains the password, or with the problem. */
  | { type: "password"; target: ChannelTarget | undefined; problem: PasswordProblem | undefined }
  | { type: "close" };

/**
 * The messages from the session that every kind of channel has. `refused` replaces the first state if the channel cannot be opened.
 * `failed` reports a later failure, which closes the channel. Both contain the exception that the binding threw: an error or a record.
 */
export type FromSession<Item> =
  | { type: "log"; level: string; line: string }
  | { type: "password-request" }
  | { type: "refused" | "failed"; error: unknown }
  | { type: "state"; state: ChannelState; counters: Counters }
  /** `null` after the last items. */
  | { type: "items"; items: Item[] | null; counters: Counters };

/**
 * Implements the channel of a binding by messages to and from its session. The state and the counters are those of the last message.
 */
export abstract class RemoteChannel<Item> implements BindingChannel<Item> {
  readonly #log: Log | undefined;
  readonly #states: ChannelState[] = [];
  #state: ChannelState = { status: "connecting" };
  /** Undefined until the session is open. */
  #counters: Counters | undefined;
  #items: Item[] = [];
  #ended = false;
  /** The number of unanswered password requests. */
  #passwordRequests = 0;
  #failure: { error: unknown } | undefined;
  #wake: (() => void)[] = [];

  constructor(log: Log | undefined) {
    this.#log = log;
  }

  protected abstract send(message: ToSession): void;

  abstract command(name: string, argument?: unknown): unknown;

  /** Handles a message. Returns whether the session needs its host no longer: `failed`, or `ended` after its last items. */
  protected receive(message: FromSession<Item> | { type: string; counters?: Counters }): "failed" | "ended" | undefined {
    if (this.#failure) return "failed";
    const wasOpen = this.#counters !== undefined;
    if ("counters" in message) this.#counters = message.counters;
    // Nothing waits for other counters.
    if (message.type === "counters") return undefined;
    this.#handle(message as FromSession<Item>, wasOpen);
    for (const resolve of this.#wake.splice(0)) resolve();
    if (this.#failure) return "failed";
    return this.#ended && this.#state.status === "closed" ? "ended" : undefined;
  }

  #handle(message: FromSession<Item>, wasOpen: boolean): void {
    switch (message.type) {
      case "state":
        this.#state = message.state;
        // The first state is that of the new channel, not a change.
        if (wasOpen) this.#states.push(message.state);
        break;
      case "items":
        if (message.items === null) this.#ended = true;
        else this.#items.push(...message.items);
        break;
      case "log":
        this.#log?.(message.level, message.line);
        break;
      case "password-request":
        this.#passwordRequests += 1;
        break;
      case "refused":
      case "failed":
        this.#failure = message;
        // The session reports no more states and items.
        this.#ended = true;
        if (this.#state.status === "closed") break;
        this.#state = { status: "closed", cause: { reason: "failed", message: (message.error as Error).message } };
        this.#states.push(this.#state);
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  /** Waits until the session is open. Rejects with the error of the binding for an invalid target or option. */
  protected async opened(): Promise<this> {
    while (this.#counters === undefined) {
      if (this.#failure) throw this.#failure.error;
      await this.#change();
    }
    return this;
  }

  async next(): Promise<Item[] | null> {
    if (this.#items.length === 0 && !this.#ended) this.send({ type: "next" });
    while (this.#items.length === 0) {
      if (this.#ended) return null;
      await this.#change();
    }
    return this.#items.splice(0);
  }

  async nextState(): Promise<ChannelState | null> {
    for (;;) {
      const state = this.#states.shift();
      if (state !== undefined) return state;
      if (this.#state.status === "closed") return null;
      await this.#change();
    }
  }

  async nextPasswordRequest(): Promise<boolean> {
    while (this.#passwordRequests === 0) {
      if (this.#state.status === "closed") return false;
      await this.#change();
    }
    this.#passwordRequests -= 1;
    return true;
  }

  providePassword(target: ChannelTarget | undefined, problem?: PasswordProblem): void {
    this.send({ type: "password", target, problem });
  }

  /** Resolves with `false`, because no input of these channels is acknowledged. */
  async nextProgress(): Promise<boolean> {
    return false;
  }

  state(): ChannelState {
    return this.#state;
  }

  counters(): Counters {
    // The first message with counters precedes the end of `opened`.
    return this.#counters as Counters;
  }

  close(): void {
    this.send({ type: "close" });
  }
}
