// The exports of the two WebAssembly modules of a screen: one with everything except the connection, and the one with the channels,
// which runs the connection.

import type { BindingChannel, BindingConfig, ChannelTarget, Log } from "../binding.js";
import type { ScreenItem } from "../generated/channels.js";
import type { Cursor, Outline } from "./messages.js";

/** Resolves with the memory of the module. */
type Init = (input: { module_or_path: WebAssembly.Module }) => Promise<WebAssembly.Memory>;

/** A screen, or a mirror of one. It also has the methods that the module with the channels calls. */
export interface ScreenObject {
  /**
   * Executes a command.
   *
   * @throws an `ErrorRecord` for an unknown command or a wrong argument.
   */
  command(name: string, argument?: unknown): unknown;
  /** Returns the next item, or `undefined`. */
  pollItem(): ScreenItem | undefined;
  outline(): Outline;
  received(): number;
  taken(): number;
  /** Returns the number of refused commands. */
  refused(): number;
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
  follow(...outline: number[]): void;
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

/** The exports of the JavaScript glue of the screen's module. */
export interface ScreenGlue {
  init: Init;
  readonly Screen: {
    /** @throws an `ErrorRecord` for an invalid option. */
    new (options: object): ScreenObject;
    mirror(): ScreenMirror;
  };
}

/** The connection of a screen. Its items and commands are those of the {@link ScreenObject}. */
export interface ScreenConnection extends Omit<BindingChannel<ScreenItem>, "next" | "command"> {
  /** Resolves with `true` when anything may have changed, or with `false` after the channel has ended. */
  nextChange(): Promise<boolean>;
  /** Reports a command, so that its output is sent. */
  wake(): void;
}

/** A client of the module with the channels. */
export interface ConnectionClient {
  openScreen(screen: ScreenObject, target: ChannelTarget): ScreenConnection;
}

/** The exports of the JavaScript glue of the module with the channels. */
export interface ConnectionGlue {
  init: Init;
  readonly Client: new (config: BindingConfig, log?: Log) => ConnectionClient;
}

/** The name of a module with the channels: the one of a page, or the complete one. */
export type ConnectionName = "channels" | "wasm";
