import { callOut } from "./uncaught.js";

type Listener<Arguments extends unknown[]> = (...args: Arguments) => void;

/** An emitter whose events and their arguments are typed. */
export class Emitter<Events extends Record<keyof Events, unknown[]>> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Calls `listener` at every event of that name, until the returned function is called. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    // A wrapper for each call, so that the same function may be given twice and ended separately.
    const entry: Listener<Events[Name]> = (...args) => listener(...args);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(entry));
    return () => void listeners.delete(entry);
  }

  /** Calls every listener. What one of them throws is reported as uncaught and does not keep the others from it. */
  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])] as Listener<Events[Name]>[]) {
      callOut(() => listener(...args));
    }
  }
}
