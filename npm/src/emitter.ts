import { runCallback } from "./callback.js";
import { invalidParameter } from "./errors.js";

type Listener<Arguments extends unknown[]> = (...args: Arguments) => void;

/** An event emitter with typed events. */
export class Emitter<Events extends Record<keyof Events, unknown[]>> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /**
   * Adds a listener for an event. An exception that the listener throws is reported as uncaught; other listeners are
   * still called.
   *
   * @returns a function that removes the listener.
   */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    if (typeof listener !== "function") throw invalidParameter("on", "listener", "must be a function");
    // Wraps the listener, so that the same function can be added twice and removed separately.
    const entry: Listener<Events[Name]> = (...args) => listener(...args);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(entry));
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
