import type { NodeReadable } from "./ambient.js";
import type { Player, PlayOptions } from "./audio/player.js";
import type { AudioSource } from "./audio/source.js";
import type { Binding, BindingParts, Part } from "./binding.js";
import type * as ChannelClasses from "./channel/classes.js";
import type { Screen } from "./channel/screen.js";
import type { openContent } from "./upload/content.js";
import type * as NodeReading from "./upload/node.js";

/** The implementation that the package uses, see `Orgo.bindingInfo`. */
export interface BindingInfo {
  /** `native` is the addon for Node, `wasm` the WebAssembly module. */
  kind: ReturnType<Binding["kind"]>;
  /** The version of the implementation, such as `0.1.0`. */
  version: string;
  /**
   * In Node: the error that caused the fallback from the addon to the WebAssembly module. In a page: the error that caused the
   * fallback from the URL of the module to its embedded copy.
   */
  fallback_cause?: unknown;
}

/** A binding or a part of one, and the reason for a fallback from the preferred binding. */
export interface LoadedBinding<Loaded = Binding> {
  binding: Loaded;
  fallback_cause?: unknown;
}

/** How Node reads the content of an upload. */
export type Reading = typeof NodeReading;

/** The differences between Node and a page. Each entry point of the package has an implementation. */
export interface Platform {
  /** Loads a part of the binding, or all parts, at the first call. Later calls return the same object. */
  load<Name extends Part>(part: Name): Promise<LoadedBinding<BindingParts[Name]>>;
  /** Returns an environment variable. */
  environment(name: string): string | undefined;
  /** Returns whether the user of the program can read its secrets, for example in a page. */
  exposed(): boolean;
  /** Returns a warning for developers about the network path to a URL. */
  warning?: (binding: Pick<Binding, "kind">, url: string) => string | undefined;
  /** Creates a Node stream. Missing outside Node. */
  readable?: (bytes: AsyncIterable<Uint8Array>) => NodeReadable;
  /** Keeps the content and the errors of a Node stream until its upload reads it. Any other value is accepted too. */
  holdStream?: (stream: unknown) => void;
  /** Checks and opens the content of an upload. */
  openContent: typeof openContent;
  /** Loads how Node reads the content of an upload while it is sent. Missing in a page, which cannot send a stream. */
  reading?: () => Promise<Reading>;
  /** Returns the classes of the channels. A page loads them. */
  classes(): typeof ChannelClasses | Promise<typeof ChannelClasses>;
  /** Returns the class of a live screen. */
  screenClass(): Promise<typeof Screen>;
  /** Plays audio of the expected sample rate in Hz. Missing without an audio output. */
  play?: (source: AudioSource, options: PlayOptions, expectedRate: number) => Promise<Player>;
}

/** Wraps `load` so that it runs at the first call only. A failure is not kept: the next call runs it again. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
