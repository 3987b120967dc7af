import { asyncDispose, type WebAudioContext, type WebAudioNode } from "../ambient.js";
import { Emitter } from "../emitter.js";
import { checkArgument, checks } from "../options.js";

/** How to play. */
export interface PlayOptions {
  /** The context to play in. Default: one of the player's own, which ends with the player. */
  context?: WebAudioContext;
  /** 1 leaves the loudness as it is, 0 is silence. Default: 1. */
  volume?: number;
}

/**
 * `suspended`: the browser keeps the page silent until its user does something, see {@link Player.resume}.
 * `buffering`: waits for enough sound to go on without gaps. `playing`: sounds. `stopped`: ended.
 */
export type PlayerState = "suspended" | "buffering" | "playing" | "stopped";

/**
 * What the player did with the samples, in samples per channel at the stream's rate:
 * `received = played + buffered + dropped`, exactly. What was `concealed` is not among them.
 */
export interface PlayerStats {
  received: number;
  played: number;
  buffered: number;
  /** Thrown away, the oldest first, because more was buffered than the delay allows. */
  dropped: number;
  /** Silence that was put in where nothing had come in time, after the first sound. */
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

/** The events of a player. */
export interface PlayerEvents {
  /** The state changed. */
  state: [state: PlayerState];
  /** New figures, a few times a second. */
  stats: [stats: PlayerStats];
}

/** What the worklet reports. */
export interface WorkletReport extends PlayerStats {
  type: "stats";
  playing: boolean;
}

const NOTHING: PlayerStats = {
  received: 0,
  played: 0,
  buffered: 0,
  dropped: 0,
  concealed: 0,
  underruns: 0,
  target: 0,
  rate: 1,
  peak: 0,
  rms: 0,
};

/**
 * The parts that a player is made of.
 *
 * @internal
 */
export interface PlayerParts {
  context: AudioContext;
  source: AudioWorkletNode;
  gain: GainNode;
  /** Ends what the player alone uses: the context, if it is its own. */
  release(): Promise<void>;
}

/** Plays a computer's sound in a page. It ends with the channel, or with {@link stop}. */
export class Player extends Emitter<PlayerEvents> {
  readonly #parts: PlayerParts;
  #volume: number;
  #muted = false;
  #stopped = false;
  #playing = false;
  #stats = NOTHING;
  #announced: PlayerState;

  /** @internal */
  constructor(parts: PlayerParts, volume: number) {
    super();
    this.#parts = parts;
    this.#volume = volume;
    this.#announced = this.state;
    this.#apply();
    parts.context.addEventListener("statechange", this.#announce);
  }

  /** What it does now. */
  get state(): PlayerState {
    if (this.#stopped) return "stopped";
    if (this.#parts.context.state !== "running") return "suspended";
    return this.#playing ? "playing" : "buffering";
  }

  /** The figures of the last report. */
  get stats(): PlayerStats {
    return this.#stats;
  }

  /** 1 leaves the loudness as it is, 0 is silence. */
  get volume(): number {
    return this.#volume;
  }

  set volume(volume: number) {
    checkArgument("player", "volume", volume, checks.volume);
    this.#volume = volume;
    this.#apply();
  }

  /** Whether it is silent, whatever the volume. */
  get muted(): boolean {
    return this.#muted;
  }

  set muted(muted: boolean) {
    checkArgument("player", "muted", muted, checks.boolean);
    this.#muted = muted;
    this.#apply();
  }

  /** What the sound comes out of, for an analyser for example. It is connected to the loudspeaker already. */
  get node(): WebAudioNode {
    return this.#parts.gain as unknown as WebAudioNode;
  }

  /** Lets it sound. While the state is `suspended`, call it from the handler of a click or a key. */
  async resume(): Promise<void> {
    if (!this.#stopped) await this.#parts.context.resume();
  }

  /** Ends it. The channel stays open. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    const { context, source, gain, release } = this.#parts;
    source.port.postMessage({ type: "stop" });
    source.disconnect();
    gain.disconnect();
    context.removeEventListener("statechange", this.#announce);
    this.#announce();
    await release();
  }

  /** {@link stop}, at the end of an `await using` block. */
  [asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** @internal */
  report({ type: _, playing, ...stats }: WorkletReport): void {
    if (this.#stopped) return;
    this.#playing = playing;
    this.#stats = stats;
    this.#announce();
    this.emit("stats", stats);
  }

  readonly #announce = (): void => {
    if (this.state === this.#announced) return;
    this.#announced = this.state;
    this.emit("state", this.state);
  };

  #apply(): void {
    const { context, gain } = this.#parts;
    // A step in the loudness would be heard as a click.
    gain.gain.setTargetAtTime(this.#muted ? 0 : this.#volume, context.currentTime, 0.01);
  }
}
