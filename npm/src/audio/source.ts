import type { SampleSink } from "../binding.js";

/** A source of samples for a player. */
export interface AudioSource {
  /** Whether the samples can reach the player without passing through the main thread. */
  readonly offThread: boolean;
  /** Sends the samples to a player until the source ends or `until` resolves. */
  pipeTo(sink: SampleSink, until: Promise<void>): Promise<void>;
}
