/**
 * What the player did with the samples, in samples per channel at the stream's rate:
 * `received = played + buffered + dropped`, exactly. What was `concealed` is not among them.
 */
export interface PlayerStats {
  received: number;
  played: number;
  buffered: number;
  /** Thrown away, because it would have made the delay too long, or came in a pause. */
  dropped: number;
  /** What was put in where nothing had come in time, after the first sound: a fade, and silence. */
  concealed: number;
  /** How often nothing had come in time. */
  underruns: number;
  /** How much the player wants to have buffered, in milliseconds: more on a bad network. */
  target: number;
  /** How much faster than it came it is played, to follow the sender's clock: 1 is the same speed. */
  rate: number;
  /** The loudest sample of the last report, from 0 to 1. */
  peak: number;
  /** The loudness of the last report: root mean square, from 0 to 1. */
  rms: number;
}
