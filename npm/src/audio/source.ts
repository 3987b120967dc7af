import type { Sink } from "../binding.js";

/** Sound that a player can be fed with. */
export interface SoundSource {
  /** Whether the samples can go to the player without coming through the page's thread. */
  readonly pours: boolean;
  /** Hands the samples to a player until the source has ended, or `until` has. */
  pour(sink: Sink, until: Promise<void>): Promise<void>;
}
