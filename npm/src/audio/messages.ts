/** What the page, the worker that owns a sound channel and the worklet that plays it say to each other. */
import type { BindingConfig, ChannelTarget, Sink } from "../binding.js";
import type { InitInput } from "../bindings/wasm/orgo_wasm.js";
import type { AudioItem, ChannelState, Counters } from "../generated/channels.js";
import type { PlayerStats } from "./stats.js";

/** How much to buffer, in milliseconds: at first, and at least. */
export interface Depth {
  first: number;
  least: number;
}

/** How a worklet begins. */
export interface WorkletOptions {
  depth: Depth;
  volume: number;
}

/** What a worklet reports: the figures, and whether it sounds. */
export type Report = PlayerStats & { playing: boolean };

/** Samples on their way to the worklet, by the port that it is fed by. */
export interface Chunk {
  samples: Float32Array;
  sample_rate: number;
  channels: number;
  /** Whether it does not continue the chunk before it: the connection was broken between them. */
  begins: boolean;
}

/** From the page to the worklet. */
export type ToWorklet =
  /** Where samples come from: chunks by the port, and through the ring if there is one. */
  | { type: "feed"; port: MessagePort; ring: SharedArrayBuffer | undefined }
  | { type: "volume"; volume: number }
  | { type: "pause"; paused: boolean }
  | { type: "stop" };

/** From the worklet to the page. */
export type FromWorklet = { type: "hello" } | { type: "stats" | "stopped"; stats: Report };

/** From the page to the worker. */
export type ToWorker =
  | {
      type: "open";
      module: InitInput;
      config: BindingConfig;
      target: ChannelTarget;
      options: object;
    }
  /** The page wants the next items. */
  | { type: "next" }
  /** The samples go to the sink from now on, the other items still to the page; without one, all go to the page. */
  | { type: "pour"; sink: Sink | undefined }
  /** The password that was asked for, or why there is none. */
  | { type: "answer"; target: ChannelTarget | undefined; problem: string | undefined }
  | { type: "close" };

/** From the worker to the page: `refused` instead of the first state, `broken` after it, as the binding throws. */
export type FromWorker =
  | { type: "hello" }
  | { type: "log"; level: string; line: string }
  | { type: "question" }
  | { type: "refused"; error: unknown }
  | { type: "state"; state: ChannelState; counters: Counters }
  | { type: "items"; items: AudioItem[] | null; counters: Counters }
  | { type: "counters"; counters: Counters }
  | { type: "broken"; error: unknown };
