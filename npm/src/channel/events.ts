import type { BindingChannel } from "../binding.js";
import { Bounds } from "../bounded.js";
import { rethrown } from "../errors.js";
import type { EventItem } from "../generated/channels.js";
import { checkArgument, checks, checkWaitOptions, checkWhole, type WaitOptions } from "../options.js";
import type { Counters, DesktopEvent, EventType } from "../types.js";
import { Channel, type ChannelEvents, closed } from "./channel.js";

/** The events of an event channel, besides those of the desktop. */
export interface EventStreamEvents extends ChannelEvents {
  /** Events may have been missed here, as many as `missed` says where that is known. */
  gap: [missed: number | undefined];
}

/** The event of that type. */
export type EventOf<Type extends EventType> = Extract<DesktopEvent, { type: Type }>;

/** What to wait for, and for how long. */
export interface WaitForOptions<Type extends EventType> extends WaitOptions {
  /** Which of the events of the type is meant. Default: any. */
  where?: (event: EventOf<Type>) => boolean;
  /** How long to wait, in milliseconds. Default: 30000. */
  timeout?: number;
}

/** An event that nobody iterated over yet. */
interface Waiting {
  event: DesktopEvent;
  /** Whether a `waitFor` had it. */
  awaited: boolean;
}

/** Offers an event to a `waitFor`; `true` if it was the one. */
type Waiter = (waiting: Waiting) => boolean;

const DEFAULT_WAIT = 30_000;
/** How many events are kept while only `waitFor` takes them. */
const LONGEST_BACKLOG = 1024;

/**
 * What happens on the computer's desktop, live: iterate it for the events of the types that are subscribed to.
 *
 * Events that nobody takes are kept up to a limit; then the oldest are dropped and counted in `counters.dropped`.
 */
export class EventStream extends Channel<EventItem, DesktopEvent, EventStreamEvents> {
  readonly #binding: BindingChannel<EventItem>;
  readonly #backlog: Waiting[] = [];
  readonly #waiters = new Set<Waiter>();
  #dropped = 0;

  /** @internal */
  constructor(binding: BindingChannel<EventItem>) {
    super("events", binding);
    this.#binding = binding;
  }

  /** What came and went so far. */
  override get counters(): Counters {
    const counters = super.counters;
    const [held, dropped] = [this.#backlog.length, this.#dropped];
    return {
      ...counters,
      taken: counters.taken - held - dropped,
      buffered: counters.buffered + held,
      dropped: counters.dropped + dropped,
    };
  }

  /** Also reports events of these types from now on. */
  subscribe(types: readonly EventType[]): void {
    const names = checkTypes("events.subscribe", types);
    rethrown(() => this.#binding.command("subscribe", names));
  }

  /** No longer reports events of these types. */
  unsubscribe(types: readonly EventType[]): void {
    const names = checkTypes("events.unsubscribe", types);
    rethrown(() => this.#binding.command("unsubscribe", names));
  }

  /**
   * The next event of a type. Events that arrived before the call count too, unless a loop took them or an earlier
   * `waitFor` returned them: so an action may come first and the wait for its effect afterwards. An event that is
   * waited for is still seen by a loop.
   *
   * @throws TimeoutError if none comes in time, ChannelClosedError if the channel ends.
   */
  async waitFor<Type extends EventType>(type: Type, options: WaitForOptions<Type> = {}): Promise<EventOf<Type>> {
    checkArgument("events.waitFor", "type", type, checks.string);
    checkWaitOptions("events.waitFor", options, { where: checks.function });
    const { where, timeout = DEFAULT_WAIT, signal } = options;
    const bounds = new Bounds("events.waitFor", timeout, signal);
    bounds.check();
    const fits = ({ event, awaited }: Waiting) => !awaited && event.type === type && (where?.(event as EventOf<Type>) ?? true);

    const known = this.#backlog.find(fits);
    if (known !== undefined) {
      known.awaited = true;
      return known.event as EventOf<Type>;
    }
    return bounds.promise<EventOf<Type>>((resolve, reject) => {
      const waiter: Waiter = (waiting) => {
        try {
          if (!fits(waiting)) return false;
        } catch (error) {
          reject(error);
          return false;
        }
        resolve(waiting.event as EventOf<Type>);
        return true;
      };
      this.#waiters.add(waiter);
      this.#pullFor(waiter).catch(reject);
      return () => this.#waiters.delete(waiter);
    }, `no ${type} came`);
  }

  protected override accept(item: EventItem): void {
    switch (item.type) {
      case "event": {
        // Types and data are the wire's; a type that this version does not know is passed on as it is.
        const waiting: Waiting = { event: item.event as unknown as DesktopEvent, awaited: false };
        const taken = [...this.#waiters].map((waiter) => waiter(waiting));
        waiting.awaited = taken.includes(true);
        this.#backlog.push(waiting);
        if (this.#backlog.length > LONGEST_BACKLOG) {
          this.#backlog.shift();
          this.#dropped += 1;
        }
        break;
      }
      case "gap":
        this.emit("gap", item.missed);
        break;
      case "error":
        this.emit("error", item.message);
    }
  }

  protected override take(): DesktopEvent | undefined {
    return this.#backlog.shift()?.event;
  }

  /** Takes events from the binding for as long as `waiter` waits. */
  async #pullFor(waiter: Waiter): Promise<void> {
    while (this.#waiters.has(waiter)) {
      if (await this.pull()) continue;
      const state = this.state;
      throw closed(state.status === "closed" ? state.cause : { reason: "normal", message: "the channel ended" });
    }
  }
}

/** Checks a list of names of event types; which names there are is the server's to say. */
export function checkTypes(owner: string, types: readonly EventType[]): string[] {
  const wanted = "a list of event types";
  const accepts = (value: unknown) => Array.isArray(value) && value.every((type) => checks.string.accepts(type));
  checkArgument(owner, "types", types, { accepts, wanted });
  checkWhole(owner, "types", types);
  return [...types];
}
