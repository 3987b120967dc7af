import type { AbortSignalLike } from "./ambient.js";

interface Subscription {
  readonly listeners: Set<() => void>;
  readonly onAbort: () => void;
}

const subscriptions = new WeakMap<AbortSignalLike, Subscription>();

/**
 * Calls `listener` once when the signal is aborted, or immediately if it is already aborted. Returns a function that removes the
 * listener.
 *
 * All calls that share a signal share one event listener, because Node warns of a memory leak if a signal has more than ten
 * listeners.
 */
export function onAbort(signal: AbortSignalLike | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    listener();
    return () => {};
  }
  const subscription = subscriptions.get(signal) ?? subscribe(signal);
  // Wraps the listener, because two calls may pass the same function.
  const own = () => listener();
  subscription.listeners.add(own);
  return () => {
    if (subscription.listeners.delete(own) && subscription.listeners.size === 0) unsubscribe(signal, subscription);
  };
}

function subscribe(signal: AbortSignalLike): Subscription {
  const listeners = new Set<() => void>();
  const onAbort = () => {
    unsubscribe(signal, subscription);
    for (const listener of [...listeners]) {
      // An earlier listener may have removed this one.
      if (listeners.delete(listener)) listener();
    }
  };
  const subscription = { listeners, onAbort };
  subscriptions.set(signal, subscription);
  signal.addEventListener("abort", onAbort);
  return subscription;
}

function unsubscribe(signal: AbortSignalLike, { onAbort }: Subscription): void {
  subscriptions.delete(signal);
  signal.removeEventListener("abort", onAbort);
}
