import type { NodeReadable, WebReadableStream } from "../ambient.js";
import type { Chunk } from "../audio/messages.js";
import type { Player, PlayOptions } from "../audio/player.js";
import type { Binding, BindingChannel, SampleSink } from "../binding.js";
import { BindingError } from "../errors.js";
import type { AudioItem } from "../generated/channels.js";
import { checkFields, checks } from "../options.js";
import type { Platform } from "../platform.js";
import { createReadable } from "../streams.js";
import { Channel, type ChannelEvents } from "./channel.js";

/** The sample rate that the server uses if none is requested, in Hz. */
const DEFAULT_RATE = 24_000;

/** The functions of a binding that convert and measure samples. */
type Pcm = Pick<Binding, "wavHeader" | "wavEncode" | "level">;

/** The format of samples. */
export interface AudioFormat {
  /** The sample rate in Hz. */
  sample_rate: number;
  /** The number of channels: 1 is mono, 2 is stereo. */
  channels: number;
}

/** A chunk of audio. */
export interface AudioChunk extends AudioFormat {
  /** Interleaved samples (left, right, left, right ...) from -1 to 1. */
  samples: Float32Array;
}

/** The parameters of an audio channel. */
export interface AudioParams {
  /** The sample rate in Hz. Default: the default of the server, 24000. */
  sample_rate?: number;
  /** The number of channels, 1 or 2. Default: the default of the server, 1. */
  channels?: number;
  /**
   * The time for which samples are collected before they are delivered, in milliseconds, from 0 to 1000. Larger chunks need
   * less CPU time but add delay. Used only by the native addon. Default: 40.
   */
  batch?: number;
}

/** The level of a chunk of audio. Both values are from 0 to 1. */
export interface AudioLevel {
  /** The absolute value of the loudest sample. */
  peak: number;
  /** The root mean square of the samples. */
  rms: number;
}

/** The events of an {@link AudioStream}. */
export interface AudioEvents extends ChannelEvents {
  /** The server reported the format of the following samples. */
  started: [format: AudioFormat];
}

/** The sample counts of a channel, in frames (one sample for each channel). `received = delivered + buffered + dropped`. */
export interface AudioStats {
  /** All frames from the server. */
  received: number;
  /** Frames that a reader has received. */
  delivered: number;
  /** Frames that wait for a reader. */
  buffered: number;
  /** Frames that were dropped, because no reader received them in time. */
  dropped: number;
}

/** The options of a recording. */
export interface RecordOptions {
  /** The duration of the recording, in seconds. Default: until the channel is closed or the recording is canceled. */
  duration?: number;
}

/**
 * The live audio of a computer. Iterate over it to read the samples, {@link record} it, or {@link play} it. Use one of these
 * at a time, because each sample is delivered to one reader.
 *
 * Up to 10 seconds of unread samples are buffered. At this limit the server has to wait while the program keeps reading. If the
 * program reads nothing for 5 seconds, and always in a page, the oldest samples are dropped.
 */
export class AudioStream extends Channel<AudioItem, AudioChunk, AudioEvents> {
  readonly #binding: BindingChannel<AudioItem>;
  readonly #platform: Platform;
  readonly #expectedRate: number;
  readonly #pcm: Pcm;
  readonly #chunks: AudioChunk[] = [];
  #format: AudioFormat | undefined;
  /** The chunks that directly follow a discontinuity, and whether the next chunk will follow one. */
  readonly #discontinuities = new WeakSet<AudioChunk>();
  #discontinuity = false;
  /** The number of frames in `#chunks`. */
  #buffered = 0;

  /** @internal */
  constructor(binding: BindingChannel<AudioItem>, pcm: Pcm, platform: Platform, params: AudioParams) {
    super("audio", ["started"], binding);
    this.#binding = binding;
    this.#expectedRate = params.sample_rate ?? DEFAULT_RATE;
    this.#pcm = pcm;
    this.#platform = platform;
  }

  /** The sample counts so far. */
  get stats(): AudioStats {
    const { received, taken, buffered, dropped } = this.counters;
    return { received, delivered: taken - this.#buffered, buffered: buffered + this.#buffered, dropped };
  }

  /**
   * Records the audio as a live WAV file of 16-bit samples. The header contains no length, because the length is not known in
   * advance; players play such a file completely. The recording ends at a change of the format. If the stream is canceled, the
   * channel stays open.
   *
   * @throws InvalidParameterError for an invalid option.
   */
  record(options: RecordOptions = {}): WebReadableStream<Uint8Array> {
    checkFields("audio.record", "options", options, { duration: checks.seconds });
    const file = this.#bytes(options.duration ?? Infinity, true);
    return createReadable(async () => (await file.next()).value ?? undefined);
  }

  /**
   * Returns the audio as raw PCM (16-bit, little-endian, interleaved), for example for the input of another program. The
   * stream ends at a change of the format. If it is canceled, the channel stays open.
   *
   * @throws InvalidParameterError for an invalid option.
   */
  pcm(options: RecordOptions = {}): WebReadableStream<Uint8Array> {
    checkFields("audio.pcm", "options", options, { duration: checks.seconds });
    const bytes = this.#bytes(options.duration ?? Infinity, false);
    return createReadable(async () => (await bytes.next()).value ?? undefined);
  }

  /**
   * Returns the audio as raw PCM like {@link pcm}, as a Node `Readable` for `pipe`. If it is destroyed, the channel stays
   * open.
   *
   * @throws BindingError outside Node; InvalidParameterError for an invalid option.
   */
  pcmReadable(options: RecordOptions = {}): NodeReadable {
    checkFields("audio.pcmReadable", "options", options, { duration: checks.seconds });
    if (this.#platform.readable === undefined) {
      const message = "audio.pcmReadable: only Node has a Readable, use audio.pcm()";
      throw new BindingError({ kind: "binding", message, delivered: "no" });
    }
    return this.#platform.readable(this.#bytes(options.duration ?? Infinity, false));
  }

  /** Returns the level of a chunk of audio. */
  level(chunk: AudioChunk): AudioLevel {
    const [peak = 0, rms = 0] = this.#pcm.level(chunk.samples);
    return { peak, rms };
  }

  /**
   * Plays the audio in a page. Browsers mute a page until its user interacts with it. The state of the player is then
   * `suspended`; call {@link Player.resume} after a user gesture, for example in a `click` or `keydown` handler.
   *
   * @throws BindingError if the platform has no audio output (for example Node) or cannot load the audio worklet;
   *   InvalidParameterError for an invalid option.
   */
  async play(options: PlayOptions = {}): Promise<Player> {
    const known = { context: checks.audioContext, volume: checks.volume, target: checks.target };
    checkFields("audio.play", "options", options, known);
    if (this.#platform.play === undefined) {
      const message = "audio.play: only a page can play audio, use audio.record() or iterate over the samples";
      throw new BindingError({ kind: "binding", message, delivered: "no" });
    }
    return this.#platform.play(this, options, this.#format?.sample_rate ?? this.#expectedRate);
  }

  /**
   * Whether the samples can reach a player without passing through this thread.
   *
   * @internal
   */
  get offThread(): boolean {
    return this.#binding.pipeTo !== undefined;
  }

  /**
   * Sends the samples to a player until the channel is closed or `until` resolves.
   *
   * @internal
   */
  async pipeTo(sink: SampleSink, until: Promise<void>): Promise<void> {
    let active = true;
    const stopped = until.then(() => {
      active = false;
      this.#binding.pipeTo?.(undefined);
      return undefined;
    });
    const send = (chunk: AudioChunk) => {
      const { buffer, byteLength } = chunk.samples;
      const discontinuity = this.#discontinuities.has(chunk);
      // A buffer that several chunks share is copied, not transferred.
      const ownsBuffer = buffer.byteLength === byteLength && buffer instanceof ArrayBuffer;
      sink.port.postMessage({ ...chunk, discontinuity } satisfies Chunk, ownsBuffer ? [buffer] : []);
    };
    for (let chunk = this.take(); chunk !== undefined; chunk = this.take()) send(chunk);
    if (this.#binding.pipeTo === undefined) {
      for (;;) {
        const chunk = await this.nextItem(() => active);
        if (chunk === undefined || !active) return;
        send(chunk);
      }
    }
    this.#binding.pipeTo(sink);
    // From now on, only formats and the end of the channel arrive here.
    while (active && (await Promise.race([this.pull(), stopped])));
  }

  protected override accept(item: AudioItem): void {
    switch (item.type) {
      case "started":
        this.#format = { sample_rate: item.sample_rate, channels: item.channels };
        this.#discontinuity = true;
        this.emit("started", this.#format);
        break;
      case "samples":
        // Always true: the core delivers no samples before their format.
        if (this.#format !== undefined) {
          const { sample_rate, channels } = this.#format;
          const chunk = { samples: item.samples, sample_rate, channels };
          this.#chunks.push(chunk);
          if (this.#discontinuity) this.#discontinuities.add(chunk);
          this.#discontinuity = false;
          this.#buffered += frames(chunk);
        }
        break;
      case "error":
        this.emit("error", item.message);
    }
  }

  protected override take(): AudioChunk | undefined {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) this.#buffered -= frames(chunk);
    return chunk;
  }

  async *#bytes(duration: number, header: boolean): AsyncGenerator<Uint8Array, void, undefined> {
    let format: AudioFormat | undefined;
    let remaining = Infinity;
    for (let chunk = await this.nextItem(); chunk !== undefined; chunk = await this.nextItem()) {
      if (format === undefined) {
        format = chunk;
        remaining = Math.round(duration * chunk.sample_rate);
        if (header) yield this.#pcm.wavHeader(chunk.sample_rate, chunk.channels);
      } else if (chunk.sample_rate !== format.sample_rate || chunk.channels !== format.channels) {
        // The output has one format, so it ends before a chunk with another format. That chunk is kept for the next reader.
        this.#chunks.unshift(chunk);
        this.#buffered += frames(chunk);
        return;
      }
      const count = Math.min(remaining, frames(chunk));
      yield this.#pcm.wavEncode(chunk.samples.subarray(0, count * chunk.channels));
      remaining -= count;
      if (remaining === 0) return;
    }
  }
}

function frames(chunk: AudioChunk): number {
  return chunk.samples.length / chunk.channels;
}
