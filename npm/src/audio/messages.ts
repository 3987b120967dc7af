// The messages between the page, the worker that owns an audio channel, and the worklet that plays the samples.

import type { BindingConfig, ChannelTarget, SampleSink } from "../binding.js";
import type { FromSession, ToSession } from "../channel/remote.js";
import type { AudioItem, Counters } from "../generated/channels.js";
import type { PlayerStats } from "./stats.js";

/** The depth of the jitter buffer in milliseconds. */
export interface Depth {
  initial: number;
  minimum: number;
}

/** The options of a worklet. */
export interface WorkletOptions {
  depth: Depth;
  volume: number;
}

/** The report of a worklet: the statistics, and whether the worklet plays audio. */
export type Report = PlayerStats & { playing: boolean };

/** A message with samples for the worklet. */
export interface Chunk {
  samples: Float32Array;
  sample_rate: number;
  channels: number;
  /** Whether samples are missing before this chunk, because the connection was lost. */
  discontinuity: boolean;
}

/** The messages from the page to the worklet. */
export type ToWorklet =
  /** Sets the source of the samples: the port, and the ring buffer if there is one. */
  | { type: "feed"; port: MessagePort; ring: SharedArrayBuffer | undefined }
  | { type: "volume"; volume: number }
  | { type: "pause"; paused: boolean }
  | { type: "stop" };

/** The messages from the worklet to the page. `stopped` is the last message; it follows the fade-out. */
export type FromWorklet = { type: "ready" } | { type: "stats" | "stopped"; stats: Report };

/** The WebAssembly module for a worker: the module with the channels, or the complete one. */
export interface WorkerModule {
  name: "channels" | "wasm";
  module: WebAssembly.Module;
}

/** The messages from the page to the worker. */
export type ToWorker =
  | ToSession
  | {
      type: "open";
      wasm: WorkerModule;
      config: BindingConfig;
      target: ChannelTarget;
      options: object;
    }
  /** Sends the samples to the sink from now on, and the other items to the page. Without a sink, all items go to the page. */
  | { type: "pipe"; sink: SampleSink | undefined };

/** The messages from the worker to the page. */
export type FromWorker = FromSession<AudioItem> | { type: "ready" } | { type: "counters"; counters: Counters };
