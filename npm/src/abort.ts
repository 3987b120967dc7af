import type { AbortSignalLike } from "./ambient.js";

interface Shared {
  readonly listeners: Set<() => void>;
  readonly fire: () => void;
}

/** One entry for each signal that something waits for. */
const shared = new WeakMap<AbortSignalLike, Shared>();

/**
 * Calls `listener` once when the signal is aborted, at once if it already is. Returns what takes the listener away.
 *
 * Any number of calls may share a signal: it gets one listener for all of them, since Node warns of a leak from the
 * eleventh listener on.
 */
export function onAbort(signal: AbortSignalLike | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    listener();
    return () => {};
  }
  const entry = shared.get(signal) ?? share(signal);
  // Two calls may pass the same function.
  const own = () => listener();
  entry.listeners.add(own);
  return () => {
    if (entry.listeners.delete(own) && entry.listeners.size === 0) unshare(signal, entry);
  };
}

function share(signal: AbortSignalLike): Shared {
  const listeners = new Set<() => void>();
  const fire = () => {
    unshare(signal, entry);
    for (const listener of [...listeners]) {
      // One may have taken another away.
      if (listeners.delete(listener)) listener();
    }
  };
  const entry = { listeners, fire };
  shared.set(signal, entry);
  signal.addEventListener("abort", fire);
  return entry;
}

function unshare(signal: AbortSignalLike, { fire }: Shared): void {
  shared.delete(signal);
  signal.removeEventListener("abort", fire);
}
