import type { NodeReadable } from "./ambient.js";
import type { Player, PlayOptions } from "./audio/player.js";
import type { SoundSource } from "./audio/source.js";
import type { Binding } from "./binding.js";

/** Which Rust code runs. */
export interface BindingInfo {
  /** `native` is the addon for Node, `wasm` the WebAssembly module. */
  kind: ReturnType<Binding["kind"]>;
  /** The version of the Rust code. */
  version: string;
  /** Why it is not the native addon, in Node. */
  fallback_cause?: unknown;
}

/** A binding and how it came to be chosen. */
export interface LoadedBinding {
  binding: Binding;
  fallback_cause?: unknown;
}

/** What differs between Node and a page. Every entry of this package has its own. */
export interface Platform {
  /** Loads the binding at the first call and keeps it. */
  load(): Promise<LoadedBinding>;
  /** An environment variable. */
  environment(name: string): string | undefined;
  /** Whether strangers can read what this program holds. */
  exposed(): boolean;
  /** What a developer should know of the way to a URL. */
  warning?: (binding: Binding, url: string) => string | undefined;
  /** A stream of Node's own kind, where there is Node. */
  readable?: (bytes: AsyncIterable<Uint8Array>) => NodeReadable;
  /** Plays sound of the expected rate (samples per second), where there is an output for it. */
  play?: (sound: SoundSource, options: PlayOptions, expectedRate: number) => Promise<Player>;
}

/** Calls `load` once it is needed and keeps what it gives; a failure is not kept. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () =>
    (loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    }));
}
