import type { BindingChannel } from "../binding.js";
import { Deadline } from "../deadline.js";
import { convertErrors } from "../errors.js";
import type { EventItem } from "../generated/channels.js";
import { checkArgument, checks, checkTypes, checkWaitOptions, type WaitOptions } from "../options.js";
import type { Counters, DesktopEvent, EventType } from "../types.js";
import { Channel, type ChannelEvents, channelClosed } from "./channel.js";

/** The events of an {@link EventStream}. The events of the desktop are its items. */
export interface EventStreamEvents extends ChannelEvents {
  /** Events of the desktop may be missing at this point. `missed` is their number, if it is known. */
  gap: [missed: number | undefined];
}

/** The type of the desktop events whose `type` is `Type`. */
export type EventOf<Type extends EventType> = Extract<DesktopEvent, { type: Type }>;

/** The options of {@link EventStream.waitFor}. */
export interface WaitForOptions<Type extends EventType> extends WaitOptions {
  /** A filter: `waitFor` returns only an event for which the filter returns `true`. Default: any event of the type. */
  where?: (event: EventOf<Type>) => boolean;
  /** The time limit, in milliseconds. Default: 30000. */
  timeout?: number;
}

/** An event that no loop has read yet. */
interface BufferedEvent {
  event: DesktopEvent;
  /** Whether a `waitFor` has returned this event. */
  awaited: boolean;
}

/** A `waitFor`. */
interface Waiter {
  /** Offers an event. Returns whether the event matches. */
  offer(buffered: BufferedEvent): boolean;
  reject(error: unknown): void;
}

const DEFAULT_WAIT_TIMEOUT = 30_000;
/** The maximum number of buffered events. Events that only a `waitFor` reads remain in the buffer. */
const MAX_BUFFERED_EVENTS = 1024;

/**
 * A stream of the live events of the desktop. Iterate over it to read the events of the subscribed types.
 *
 * Unread events are buffered. If the buffer is full, the server has to wait while the program keeps reading. If the program reads
 * nothing for 5 seconds, and always in a page, the oldest events are dropped, and counted in
 * `counters.dropped`.
 */
export class EventStream extends Channel<EventItem, DesktopEvent, EventStreamEvents> {
  readonly #binding: BindingChannel<EventItem>;
  readonly #buffer: BufferedEvent[] = [];
  readonly #waiters = new Set<Waiter>();
  #pullsForWaiters = false;
  #dropped = 0;

  /** @internal */
  constructor(binding: BindingChannel<EventItem>) {
    super("events", ["gap"], binding);
    this.#binding = binding;
  }

  /** The counters of the events so far. */
  override get counters(): Counters {
    const counters = super.counters;
    const [buffered, dropped] = [this.#buffer.length, this.#dropped];
    return {
      ...counters,
      taken: counters.taken - buffered - dropped,
      buffered: counters.buffered + buffered,
      dropped: counters.dropped + dropped,
    };
  }

  /**
   * Subscribes to more types of events.
   *
   * @throws InvalidParameterError if `types` is not a list of non-empty strings.
   */
  subscribe(types: readonly EventType[]): void {
    const names = checkTypes("events.subscribe", types);
    convertErrors(() => this.#binding.command("subscribe", names));
  }

  /**
   * Unsubscribes from types of events.
   *
   * @throws InvalidParameterError if `types` is not a list of non-empty strings.
   */
  unsubscribe(types: readonly EventType[]): void {
    const names = checkTypes("events.unsubscribe", types);
    convertErrors(() => this.#binding.command("unsubscribe", names));
  }

  /**
   * Waits for an event of a type. Also returns an event that arrived before the call, unless a loop has read it or an earlier
   * `waitFor` has returned it. So a program can start an action first and then wait for its event. A loop still receives the
   * returned event. No event of a type without a subscription arrives.
   *
   * @throws TimeoutError if no event arrives in time; AbortError; ChannelClosedError if the channel is closed;
   *   InvalidParameterError, for an unknown type, for example; any exception that `where` throws.
   */
  async waitFor<Type extends EventType>(type: Type, options: WaitForOptions<Type> = {}): Promise<EventOf<Type>> {
    checkArgument("events.waitFor", "type", type, checks.string);
    checkWaitOptions("events.waitFor", options, { where: checks.function });
    convertErrors(() => this.#binding.command("expect", type));
    const { where, timeout = DEFAULT_WAIT_TIMEOUT, signal } = options;
    const deadline = new Deadline("events.waitFor", timeout, signal);
    deadline.throwIfAborted();
    const matches = ({ event, awaited }: BufferedEvent) =>
      !awaited && event.type === type && (where?.(event as EventOf<Type>) ?? true);

    const buffered = this.#buffer.find(matches);
    if (buffered !== undefined) {
      buffered.awaited = true;
      return buffered.event as EventOf<Type>;
    }
    return deadline.promise<EventOf<Type>>((resolve, reject) => {
      const offer = (buffered: BufferedEvent) => {
        try {
          if (!matches(buffered)) return false;
        } catch (error) {
          reject(error);
          return false;
        }
        resolve(buffered.event as EventOf<Type>);
        return true;
      };
      const waiter = { offer, reject };
      this.#waiters.add(waiter);
      void this.#pullForWaiters();
      return () => this.#waiters.delete(waiter);
    }, `no ${type} event arrived`);
  }

  protected override accept(item: EventItem): void {
    switch (item.type) {
      case "events":
        // An event of a type that this version does not know is delivered unchanged.
        for (const event of item.events as unknown as DesktopEvent[]) this.#acceptEvent(event);
        break;
      case "gap":
        this.emit("gap", item.missed);
        break;
      case "error":
        this.emit("error", item.message);
    }
  }

  #acceptEvent(event: DesktopEvent): void {
    const buffered: BufferedEvent = { event, awaited: false };
    // The event is offered to every waiter, not only to the first that matches.
    if (this.#waiters.size > 0) buffered.awaited = [...this.#waiters].map((waiter) => waiter.offer(buffered)).includes(true);
    this.#buffer.push(buffered);
    if (this.#buffer.length > MAX_BUFFERED_EVENTS) {
      this.#buffer.shift();
      this.#dropped += 1;
    }
  }

  protected override take(): DesktopEvent | undefined {
    return this.#buffer.shift()?.event;
  }

  /** Gets events from the binding while any `waitFor` waits. */
  async #pullForWaiters(): Promise<void> {
    if (this.#pullsForWaiters) return;
    this.#pullsForWaiters = true;
    try {
      while (this.#waiters.size > 0) {
        if (await this.pull()) continue;
        const state = this.state;
        throw channelClosed(state.status === "closed" ? state.cause : { reason: "normal", message: "the channel is closed" });
      }
    } catch (error) {
      for (const { reject } of [...this.#waiters]) reject(error);
    } finally {
      this.#pullsForWaiters = false;
    }
  }
}
