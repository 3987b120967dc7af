import { asyncDispose, type WebAudioContext, type WebAudioNode, type WebMediaStream } from "../ambient.js";
import { Emitter } from "../emitter.js";
import { BindingError } from "../errors.js";
import { checkArgument, checks } from "../options.js";
import type { FromWorklet, ToWorklet } from "./messages.js";
import type { PlayerStats } from "./stats.js";

/** The options of `audio.play()`. */
export interface PlayOptions {
  /** The context to play in. Default: a new context, which is closed when the player stops. */
  context?: WebAudioContext;
  /** The volume: 0 is silent, 1 is unchanged, larger values amplify. Default: 1. */
  volume?: number;
  /**
   * The initial and minimum depth of the jitter buffer, in milliseconds, from 20 to 1000. A larger value adds delay and tolerates
   * more jitter. The player increases the depth automatically on a bad network. Default: 60 initially, and no minimum: the
   * depth decreases on a network with little jitter.
   */
  target?: number;
}

/**
 * The state of a player:
 *
 * - `suspended`: the browser mutes the page until its user interacts with it, see {@link Player.resume}.
 * - `paused`: {@link Player.pause} was called.
 * - `buffering`: the player waits until its buffer contains enough audio.
 * - `playing`: the player plays audio.
 * - `stopped`: the player has ended.
 */
export type PlayerState = "suspended" | "paused" | "buffering" | "playing" | "stopped";

/**
 * The path of the samples to the audio thread:
 *
 * - `ring`: from a worker through shared memory.
 * - `port`: from a worker by messages, if the page is not cross-origin isolated.
 * - `page`: through the main thread, if the page cannot create workers. Other work on the main thread can then cause gaps.
 */
export type PlayerTransport = "ring" | "port" | "page";

/** The events of a player. */
export interface PlayerEvents {
  /** The state changed. */
  state: [state: PlayerState];
  /** New statistics are available. Emitted five times per second. */
  stats: [stats: PlayerStats];
}

const INITIAL_STATS: PlayerStats = {
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

/** The time limit for the fade-out, in milliseconds. */
const FADE_OUT_TIMEOUT = 200;

/**
 * The parts from which a {@link Player} is created.
 *
 * @internal
 */
export interface PlayerParts {
  context: AudioContext;
  source: AudioWorkletNode;
  transport: PlayerTransport;
  /** Closes the context if the package created it. */
  release(): Promise<void>;
}

/** Plays the audio of a computer in a page, until the channel is closed or {@link stop} is called. */
export class Player extends Emitter<PlayerEvents> {
  /** @internal */
  readonly ended: Promise<void>;
  readonly #parts: PlayerParts;
  #volume: number;
  #muted = false;
  #paused = false;
  #stopped = false;
  #playing = false;
  #stats = INITIAL_STATS;
  #emittedState: PlayerState;
  #recorder: MediaStreamAudioDestinationNode | undefined;
  #resolveEnded = () => {};
  #resolveFadedOut = () => {};

  /** @internal */
  constructor(parts: PlayerParts, volume: number) {
    super("player", ["state", "stats"]);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#parts = parts;
    this.#volume = volume;
    this.#emittedState = this.state;
    parts.source.port.onmessage = ({ data }: MessageEvent<FromWorklet>) => this.#receive(data);
    parts.context.addEventListener("statechange", this.#emitState);
  }

  /** The current state. */
  get state(): PlayerState {
    if (this.#stopped) return "stopped";
    if (this.#paused) return "paused";
    if (this.#parts.context.state !== "running") return "suspended";
    return this.#playing ? "playing" : "buffering";
  }

  /** The latest statistics. */
  get stats(): PlayerStats {
    return this.#stats;
  }

  /** The path of the samples to the audio thread. */
  get transport(): PlayerTransport {
    return this.#parts.transport;
  }

  /**
   * The volume: 0 is silent, 1 is unchanged, larger values amplify. A change is a short ramp, without an audible click.
   *
   * @throws InvalidParameterError for a value that is not a number of at least 0.
   */
  get volume(): number {
    return this.#volume;
  }

  set volume(volume: number) {
    checkArgument("player", "volume", volume, checks.volume);
    this.#volume = volume;
    this.#postVolume();
  }

  /**
   * Whether the player is muted. Muting does not change {@link volume}. Default: `false`.
   *
   * @throws InvalidParameterError for a value that is not a boolean.
   */
  get muted(): boolean {
    return this.#muted;
  }

  set muted(muted: boolean) {
    checkArgument("player", "muted", muted, checks.boolean);
    this.#muted = muted;
    this.#postVolume();
  }

  /**
   * The output node of the player, which can be connected to other nodes, for example an `AnalyserNode`. It is already connected
   * to the destination of the context.
   */
  get node(): WebAudioNode {
    return this.#parts.source as unknown as WebAudioNode;
  }

  /** The audio as a `MediaStream`, for a `MediaRecorder` or a WebRTC connection. */
  get stream(): WebMediaStream {
    const { context, source } = this.#parts;
    if (this.#recorder === undefined) {
      this.#recorder = new MediaStreamAudioDestinationNode(context);
      source.connect(this.#recorder);
    }
    return this.#recorder.stream as unknown as WebMediaStream;
  }

  /** Fades out and pauses. Audio that arrives before {@link resume} is dropped, so playback continues live. */
  pause(): void {
    this.#setPaused(true);
  }

  /**
   * Continues after {@link pause}, or starts playback while the state is `suspended`. A suspended player starts only if this
   * method is called after a user gesture, for example in a `click` or `keydown` handler.
   */
  async resume(): Promise<void> {
    if (this.#stopped) return;
    this.#setPaused(false);
    await this.#parts.context.resume();
  }

  /**
   * Selects the output device of the player's `AudioContext`, for all audio of this context.
   *
   * @param deviceId The id of a device from `navigator.mediaDevices.enumerateDevices()`, or an empty string for the default
   *   device.
   * @throws BindingError if the browser does not support the selection or does not find the device.
   */
  async setOutput(deviceId: string): Promise<void> {
    const context = this.#parts.context as AudioContext & { setSinkId?(id: string): Promise<void> };
    const outputError = (problem: string, cause?: unknown) =>
      new BindingError({ kind: "binding", message: `player.setOutput: ${problem}`, delivered: "no", cause });
    if (context.setSinkId === undefined) throw outputError("this browser cannot select an output device");
    await context.setSinkId(deviceId).catch((error: Error) => {
      throw outputError(error.message, error);
    });
  }

  /** Fades out and stops the player. The channel stays open. Resolves when the player has stopped. */
  async stop(): Promise<void> {
    if (this.#stopped) return this.ended;
    this.#stopped = true;
    const { context, source, release } = this.#parts;
    context.removeEventListener("statechange", this.#emitState);
    this.#emitState();
    const fadedOut = new Promise<void>((resolve) => {
      this.#resolveFadedOut = resolve;
    });
    // A context that is not running never completes the fade-out.
    const timer = setTimeout(this.#resolveFadedOut, context.state === "running" ? FADE_OUT_TIMEOUT : 0);
    this.#post({ type: "stop" });
    await fadedOut;
    clearTimeout(timer);
    source.disconnect();
    await release();
    this.#resolveEnded();
  }

  /** Stops the player at the end of an `await using` block. See {@link stop}. */
  [asyncDispose](): Promise<void> {
    return this.stop();
  }

  #receive(message: FromWorklet): void {
    if (message.type === "ready") return;
    if (message.type === "stopped") this.#resolveFadedOut();
    const { playing, ...stats } = message.stats;
    this.#playing = playing;
    this.#stats = stats;
    this.#emitState();
    this.emit("stats", stats);
  }

  readonly #emitState = (): void => {
    if (this.state === this.#emittedState) return;
    this.#emittedState = this.state;
    this.emit("state", this.state);
  };

  #setPaused(paused: boolean): void {
    if (this.#stopped || paused === this.#paused) return;
    this.#paused = paused;
    this.#playing = false;
    this.#post({ type: "pause", paused });
    this.#emitState();
  }

  #post(message: ToWorklet): void {
    this.#parts.source.port.postMessage(message);
  }

  #postVolume(): void {
    this.#post({ type: "volume", volume: this.#muted ? 0 : this.#volume });
  }
}
