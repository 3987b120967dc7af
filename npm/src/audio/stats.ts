/**
 * The statistics of a player. Counts are in frames (one sample for each channel) at the sample rate of the stream.
 * `received` is always equal to `played + buffered + dropped`. `concealed` frames are not included in these counts.
 */
export interface PlayerStats {
  /** Frames that the player received. */
  received: number;
  /** Frames that were played. */
  played: number;
  /** Frames in the buffer. */
  buffered: number;
  /** Frames that were dropped to limit the delay, or during a pause. */
  dropped: number;
  /** Frames of fades or silence that replaced late audio after playback started. */
  concealed: number;
  /** The number of times that the buffer was empty. */
  underruns: number;
  /** The target depth of the jitter buffer, in milliseconds. It increases with the jitter of the network. */
  target: number;
  /** The playback rate relative to the stream, which compensates clock drift of the sender. 1 is the original speed. */
  rate: number;
  /**
   * The absolute value of the loudest sample since the previous report. 1 is full scale; resampled audio may exceed it slightly.
   */
  peak: number;
  /** The root mean square of the samples since the previous report. 1 is full scale. */
  rms: number;
}
