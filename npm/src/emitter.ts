import { runCallback } from "./callback.js";
import { invalidParameter } from "./errors.js";

type Listener<Arguments extends unknown[]> = (...args: Arguments) => void;

/** An event emitter with typed events. */
export class Emitter<Events extends Record<keyof Events, unknown[]>> {
  readonly #owner: string;
  /** The listeners of each event that exists. */
  readonly #listeners: ReadonlyMap<keyof Events, Set<Listener<never>>>;

  /** @param owner What emits the events, for messages of errors. */
  constructor(owner: string, events: readonly (keyof Events)[]) {
    this.#owner = owner;
    this.#listeners = new Map(events.map((name) => [name, new Set()]));
  }

  /**
   * Adds a listener for an event. An exception that the listener throws is reported as uncaught; other listeners are
   * still called.
   *
   * @returns a function that removes the listener.
   * @throws InvalidParameterError if there is no such event.
   */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const operation = `${this.#owner}.on`;
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) {
      throw invalidParameter(operation, "name", `is not a known event, the events are ${[...this.#listeners.keys()].join(", ")}`);
    }
    if (typeof listener !== "function") throw invalidParameter(operation, "listener", "must be a function");
    // Wraps the listener, so that the same function can be added twice and removed separately.
    const entry: Listener<Events[Name]> = (...args) => listener(...args);
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
    };
  }

  /** Calls every listener of the event. */
  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])] as Listener<Events[Name]>[]) {
      runCallback(() => listener(...args));
    }
  }
}
