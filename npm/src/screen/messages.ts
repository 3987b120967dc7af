// The messages between the page and the host of a screen, which is usually a worker.

import type { BindingConfig, ChannelTarget } from "../binding.js";
import type { ChannelState, Counters, ScreenItem } from "../generated/channels.js";

/** The state on which the checks of commands depend. The host sends it, and a mirror of the session follows it. */
export interface Outline {
  width: number;
  height: number;
}

/** The shape of the pointer. */
export type Cursor = ScreenItem & { type: "cursor" };

/** A canvas of the page: controlled by the worker, or by the page itself if the host runs there. */
export type ViewCanvas = OffscreenCanvas | HTMLCanvasElement;

/** The messages from the page to the host. */
export type ToHost =
  | {
      type: "open";
      module: WebAssembly.Module;
      config: BindingConfig;
      target: ChannelTarget;
      options: object;
    }
  /** Requests the next items. */
  | { type: "next" }
  | { type: "command"; name: string; argument: unknown }
  /** Responds to a password request: with a target that contains the password, or with the problem. */
  | { type: "password"; target: ChannelTarget | undefined; problem: unknown }
  /** Draws the screen on the canvas from now on. */
  | { type: "show"; view: number; canvas: ViewCanvas }
  /** Reports whether the user can see a view. */
  | { type: "visible"; view: number; visible: boolean }
  | { type: "hide"; view: number }
  | { type: "close" };

/**
 * The messages from the host to the page. `refused` replaces the first state if the channel cannot be opened. `failed` reports a
 * later failure. Both contain the exception that the binding threw.
 */
export type FromHost =
  | { type: "ready" }
  | { type: "log"; level: string; line: string }
  | { type: "password-request" }
  | { type: "refused"; error: unknown }
  | { type: "outline"; outline: Outline }
  | { type: "cursor"; cursor: Cursor }
  | { type: "state"; state: ChannelState; counters: Counters }
  | { type: "items"; items: ScreenItem[] | null; counters: Counters }
  | { type: "counters"; counters: Counters }
  | { type: "failed"; error: unknown };
