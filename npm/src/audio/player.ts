import { asyncDispose, type WebAudioContext, type WebAudioNode, type WebMediaStream } from "../ambient.js";
import { Emitter } from "../emitter.js";
import { BindingError } from "../errors.js";
import { checkArgument, checks } from "../options.js";
import type { FromWorklet, ToWorklet } from "./messages.js";
import type { PlayerStats } from "./stats.js";

/** How to play. */
export interface PlayOptions {
  /** The context to play in. Default: one of the player's own, which ends with the player. */
  context?: WebAudioContext;
  /** 1 leaves the loudness as it is, 0 is silence. Default: 1. */
  volume?: number;
  /**
   * How much sound to buffer at least, in milliseconds, from 20 to 1000: the delay, and what it protects from. A network
   * that is worse raises it by itself. Default: 60 at first, and less where the network turns out to be calm.
   */
  target?: number;
}

/**
 * `suspended`: the browser keeps the page silent until its user does something, see {@link Player.resume}.
 * `paused`: after {@link Player.pause}. `buffering`: waits for enough sound to go on without gaps. `playing`: sounds.
 * `stopped`: ended.
 */
export type PlayerState = "suspended" | "paused" | "buffering" | "playing" | "stopped";

/**
 * How the samples come to the thread that plays them. `ring`: from a worker through shared memory. `port`: from a
 * worker by messages, where the page is not cross-origin isolated. `page`: through the page's own thread, where it may
 * not have workers; then the page's other work can make gaps.
 */
export type PlayerTransport = "ring" | "port" | "page";

/** The events of a player. */
export interface PlayerEvents {
  /** The state changed. */
  state: [state: PlayerState];
  /** New figures, a few times a second. */
  stats: [stats: PlayerStats];
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

/** How long a sound that fades out is waited for, in milliseconds. A context that does not run never ends it. */
const FADE_LIMIT = 200;

/**
 * The parts that a player is made of.
 *
 * @internal
 */
export interface PlayerParts {
  context: AudioContext;
  source: AudioWorkletNode;
  transport: PlayerTransport;
  /** Ends what the player alone uses: the context, if it is its own. */
  release(): Promise<void>;
}

/** Plays a computer's sound in a page. It ends with the channel, or with {@link stop}. */
export class Player extends Emitter<PlayerEvents> {
  /** @internal */
  readonly ended: Promise<void>;
  readonly #parts: PlayerParts;
  #volume: number;
  #muted = false;
  #paused = false;
  #stopped = false;
  #playing = false;
  #stats = NOTHING;
  #announced: PlayerState;
  #recorder: MediaStreamAudioDestinationNode | undefined;
  #end = () => {};
  #silent = () => {};

  /** @internal */
  constructor(parts: PlayerParts, volume: number) {
    super();
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#parts = parts;
    this.#volume = volume;
    this.#announced = this.state;
    parts.source.port.onmessage = ({ data }: MessageEvent<FromWorklet>) => this.#report(data);
    parts.context.addEventListener("statechange", this.#announce);
  }

  /** What it does now. */
  get state(): PlayerState {
    if (this.#stopped) return "stopped";
    if (this.#paused) return "paused";
    if (this.#parts.context.state !== "running") return "suspended";
    return this.#playing ? "playing" : "buffering";
  }

  /** The figures of the last report. */
  get stats(): PlayerStats {
    return this.#stats;
  }

  /** How the samples come to the thread that plays them. */
  get transport(): PlayerTransport {
    return this.#parts.transport;
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
    return this.#parts.source as unknown as WebAudioNode;
  }

  /** The sound as a stream, for a `MediaRecorder` or a WebRTC connection. */
  get stream(): WebMediaStream {
    const { context, source } = this.#parts;
    if (this.#recorder === undefined) {
      this.#recorder = new MediaStreamAudioDestinationNode(context);
      source.connect(this.#recorder);
    }
    return this.#recorder.stream as unknown as WebMediaStream;
  }

  /** Fades out. What comes until {@link resume} is dropped, so that the sound is live then. */
  pause(): void {
    this.#pause(true);
  }

  /**
   * Lets it sound: after {@link pause}, and while the state is `suspended`. For the latter, call it from the handler of
   * a click or a key.
   */
  async resume(): Promise<void> {
    if (this.#stopped) return;
    this.#pause(false);
    await this.#parts.context.resume();
  }

  /**
   * Chooses where it sounds, by the id of a device of `navigator.mediaDevices.enumerateDevices()`; empty is the usual
   * one. It holds for all that sounds in the context.
   *
   * @throws BindingError where the browser does not have that choice or that device.
   */
  async setOutput(deviceId: string): Promise<void> {
    const context = this.#parts.context as AudioContext & { setSinkId?(id: string): Promise<void> };
    const refusal = (problem: string, cause?: unknown) =>
      new BindingError({ kind: "binding", message: `player.setOutput: ${problem}`, delivered: "no", cause });
    if (context.setSinkId === undefined) throw refusal("this browser does not let a page choose where it sounds");
    await context.setSinkId(deviceId).catch((error: Error) => {
      throw refusal(error.message, error);
    });
  }

  /** Fades out and ends. The channel stays open. */
  async stop(): Promise<void> {
    if (this.#stopped) return this.ended;
    this.#stopped = true;
    const { context, source, release } = this.#parts;
    context.removeEventListener("statechange", this.#announce);
    this.#announce();
    const silent = new Promise<void>((resolve) => (this.#silent = resolve));
    const limit = setTimeout(this.#silent, context.state === "running" ? FADE_LIMIT : 0);
    this.#tell({ type: "stop" });
    await silent;
    clearTimeout(limit);
    source.disconnect();
    await release();
    this.#end();
  }

  /** {@link stop}, at the end of an `await using` block. */
  [asyncDispose](): Promise<void> {
    return this.stop();
  }

  #report(message: FromWorklet): void {
    if (message.type === "hello") return;
    if (message.type === "stopped") this.#silent();
    const { playing, ...stats } = message.stats;
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

  #pause(paused: boolean): void {
    if (this.#stopped || paused === this.#paused) return;
    this.#paused = paused;
    this.#playing = false;
    this.#tell({ type: "pause", paused });
    this.#announce();
  }

  #tell(message: ToWorklet): void {
    this.#parts.source.port.postMessage(message);
  }

  #apply(): void {
    this.#tell({ type: "volume", volume: this.#muted ? 0 : this.#volume });
  }
}
