// The messages between the page and the host of a screen, which is usually a worker.

import type { BindingConfig, ChannelTarget } from "../binding.js";
import type { FromSession, ToSession } from "../channel/remote.js";
import type { Counters, ScreenItem } from "../generated/channels.js";
import type { ConnectionName } from "./glue.js";

/**
 * The width and the height of the screen, and flags. The checks of commands depend on them: the host sends them, and a mirror of the
 * screen follows them.
 */
export type Outline = Uint32Array;

/** The shape of the pointer. */
export type Cursor = ScreenItem & { type: "cursor" };

/** A canvas of the page: controlled by the worker, or by the page itself if the host runs there. */
export type ViewCanvas = OffscreenCanvas | HTMLCanvasElement;

/** The messages from the page to the host. */
export type ToHost =
  | ToSession
  | {
      type: "open";
      screen: WebAssembly.Module;
      connection: { name: ConnectionName; module: WebAssembly.Module };
      config: BindingConfig;
      target: ChannelTarget;
      options: object;
    }
  | { type: "command"; name: string; argument: unknown }
  /** Requests the current counters. */
  | { type: "counters" }
  /** Draws the screen on the canvas from now on. */
  | { type: "show"; view: number; canvas: ViewCanvas }
  /** Reports whether the user can see a view. */
  | { type: "visible"; view: number; visible: boolean }
  | { type: "hide"; view: number };

/** The messages from the host to the page. */
export type FromHost =
  | FromSession<ScreenItem>
  | { type: "ready" }
  | { type: "outline"; outline: Outline }
  | { type: "cursor"; cursor: Cursor }
  | { type: "counters"; counters: Counters };
