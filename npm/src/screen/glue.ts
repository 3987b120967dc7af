// The exports of the WebAssembly module of the screen.

import type { BindingChannel, BindingConfig, ChannelTarget, Log } from "../binding.js";
import type { ScreenItem } from "../generated/channels.js";
import type { Cursor, Outline } from "./messages.js";

/** A screen in the module. */
export interface ScreenChannel extends BindingChannel<ScreenItem> {
  /** Resolves with `true` when anything may have changed, or with `false` after the channel has ended. */
  nextChange(): Promise<boolean>;
  outline(): Outline;
  /** Starts to collect changes for a view. The whole screen counts as changed. */
  startDrawing(): void;
  stopDrawing(): void;
  /**
   * Returns the address of the pixels in the module's memory, the width and the height of the screen, and then x, y, width and
   * height of each changed rectangle. Returns `undefined` if nothing has changed, or only a part of an update has arrived.
   */
  pollDrawing(): Uint32Array | undefined;
  /** Returns the shape of the pointer if it has changed. */
  pollCursor(): Cursor | undefined;
}

/** Checks the commands of a screen that runs in another thread. */
export interface ScreenMirror {
  follow(outline: Outline): void;
  /**
   * Returns what the command will return.
   *
   * @throws an `ErrorRecord` for an unknown command or a wrong argument.
   */
  check(name: string, argument?: unknown): unknown;
  /** Returns the number of refused commands. */
  refused(): number;
  imageArrived(): void;
}

/** The exports of the JavaScript glue. */
export interface ScreenGlue {
  init(input: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  kind(): "wasm";
  version(): string;
  moduleMemory(): WebAssembly.Memory;
  readonly Client: new (
    config: BindingConfig,
    log?: Log,
  ) => { open(kind: "screen", target: ChannelTarget, options: object): ScreenChannel; free(): void };
  readonly Mirror: new () => ScreenMirror;
}
