import type { NodeReadable, WebReadableStream } from "../ambient.js";
import type { Chunk } from "../audio/messages.js";
import type { Player, PlayOptions } from "../audio/player.js";
import type { Binding, BindingChannel, Sink } from "../binding.js";
import { BindingError } from "../errors.js";
import type { AudioItem } from "../generated/channels.js";
import { checkFields, checks } from "../options.js";
import type { Platform } from "../platform.js";
import { readableFrom } from "../streams.js";
import { Channel, type ChannelEvents } from "./channel.js";

/** What the server sends if it is not asked for another rate. */
const DEFAULT_RATE = 24_000;

/** The functions of a binding that convert samples. */
type Pcm = Pick<Binding, "wavHeader" | "wavEncode" | "level">;

/** How samples are to be understood. */
export interface AudioFormat {
  /** Samples per second and channel. */
  sample_rate: number;
  /** 1 is mono, 2 is stereo. */
  channels: number;
}

/** A piece of sound. */
export interface AudioChunk extends AudioFormat {
  /** From -1 to 1; the channels take turns (left, right, left, right ...). */
  samples: Float32Array;
}

/** The wanted format. */
export interface AudioParams {
  /** Samples per second and channel. Default: the server's, 24000. */
  sample_rate?: number;
  /** 1 or 2. Default: the server's, 1. */
  channels?: number;
  /**
   * How long samples gather before they are handed over, in milliseconds, from 0 to 1000: fewer and larger pieces cost
   * less. It matters to the native addon alone. Default: 20.
   */
  batch?: number;
}

/** How loud a sound is, both from 0 to 1. */
export interface AudioLevel {
  /** The largest sample. */
  peak: number;
  /** The root mean square. */
  rms: number;
}

/** The events of a sound channel. */
export interface AudioEvents extends ChannelEvents {
  /** The server said the format of what follows. */
  started: [format: AudioFormat];
}

/** What became of the samples, in samples per channel. `received = delivered + buffered + dropped`. */
export interface AudioStats {
  received: number;
  /** Taken by a reader. */
  delivered: number;
  /** Waiting for a reader. */
  buffered: number;
  /** Thrown away, the oldest first, because no reader took them in time. */
  dropped: number;
}

/** How to record. */
export interface RecordOptions {
  /** Ends the recording after so many seconds of sound. Default: it ends with the channel, or when it is cancelled. */
  duration?: number;
}

/**
 * The computer's sound, live. Iterate it for the samples, or {@link record} it, or {@link play} it: one of them, since
 * each sample goes to one reader. What nobody takes in time is dropped, the oldest first, so that the rest is live.
 */
export class AudioStream extends Channel<AudioItem, AudioChunk, AudioEvents> {
  readonly #binding: BindingChannel<AudioItem>;
  readonly #platform: Platform;
  readonly #expectedRate: number;
  readonly #pcm: Pcm;
  readonly #chunks: AudioChunk[] = [];
  #format: AudioFormat | undefined;
  /** The chunks that do not continue the one before, and whether the next one does not. */
  readonly #firsts = new WeakSet<AudioChunk>();
  #begins = false;
  /** Samples per channel that the binding handed over and no reader took. */
  #held = 0;

  /** @internal */
  constructor(binding: BindingChannel<AudioItem>, pcm: Pcm, platform: Platform, params: AudioParams) {
    super("audio", binding);
    this.#binding = binding;
    this.#expectedRate = params.sample_rate ?? DEFAULT_RATE;
    this.#pcm = pcm;
    this.#platform = platform;
  }

  /** What became of the samples so far. */
  get stats(): AudioStats {
    const { received, taken, buffered, dropped } = this.counters;
    return { received, delivered: taken - this.#held, buffered: buffered + this.#held, dropped };
  }

  /**
   * The sound as a WAV file of 16-bit samples, written as it arrives. Its header names no length, since it is not
   * known in advance; players take it as lasting to the end of the file. Cancelling it leaves the channel open.
   */
  record(options: RecordOptions = {}): WebReadableStream<Uint8Array> {
    checkFields("audio.record", "options", options, { duration: checks.seconds });
    const file = this.#bytes(options.duration ?? Infinity, true);
    return readableFrom(async () => (await file.next()).value ?? undefined);
  }

  /**
   * The sound as bytes of 16-bit PCM (little-endian, the channels take turns), for the input of another program. It ends
   * where another format begins, since nothing would say so. Cancelling it leaves the channel open.
   */
  pcm(options: RecordOptions = {}): WebReadableStream<Uint8Array> {
    checkFields("audio.pcm", "options", options, { duration: checks.seconds });
    const bytes = this.#bytes(options.duration ?? Infinity, false);
    return readableFrom(async () => (await bytes.next()).value ?? undefined);
  }

  /**
   * {@link pcm} as a stream of Node's own kind, for `pipe`. Destroying it leaves the channel open.
   *
   * @throws BindingError outside of Node.
   */
  pcmReadable(options: RecordOptions = {}): NodeReadable {
    checkFields("audio.pcmReadable", "options", options, { duration: checks.seconds });
    if (this.#platform.readable === undefined) {
      const message = "audio.pcmReadable: only Node has such streams; audio.pcm() gives a stream of the web's kind";
      throw new BindingError({ kind: "binding", message, delivered: "no" });
    }
    return this.#platform.readable(this.#bytes(options.duration ?? Infinity, false));
  }

  /** How loud a piece of sound is. */
  level(chunk: AudioChunk): AudioLevel {
    const [peak = 0, rms = 0] = this.#pcm.level(chunk.samples);
    return { peak, rms };
  }

  /**
   * Plays the sound, in a page. Browsers keep a page silent until its user does something: then the player's state is
   * `suspended`, and {@link Player.resume}, called from the handler of a click or a key, lets it sound.
   *
   * @throws BindingError where there is no output for sound, as in Node.
   */
  async play(options: PlayOptions = {}): Promise<Player> {
    const known = { context: checks.object, volume: checks.volume, target: checks.target };
    checkFields("audio.play", "options", options, known);
    if (this.#platform.play === undefined) {
      const message = "audio.play: only a page can play sound; record it or iterate its samples";
      throw new BindingError({ kind: "binding", message, delivered: "no" });
    }
    return this.#platform.play(this, options, this.#format?.sample_rate ?? this.#expectedRate);
  }

  /**
   * Whether the samples can go to a player without coming through this thread.
   *
   * @internal
   */
  get pours(): boolean {
    return this.#binding.pour !== undefined;
  }

  /**
   * Hands the samples to a player until the channel has ended, or `until` has.
   *
   * @internal
   */
  async pour(sink: Sink, until: Promise<void>): Promise<void> {
    let wanted = true;
    const over = until.then(() => {
      wanted = false;
      this.#binding.pour?.(undefined);
      return undefined;
    });
    const hand = (chunk: AudioChunk) => {
      const { buffer, byteLength } = chunk.samples;
      const begins = this.#firsts.has(chunk);
      // What shares its memory with other chunks has to be copied.
      const own = buffer.byteLength === byteLength && buffer instanceof ArrayBuffer;
      sink.port.postMessage({ ...chunk, begins } satisfies Chunk, own ? [buffer] : []);
    };
    for (let chunk = this.take(); chunk !== undefined; chunk = this.take()) hand(chunk);
    if (this.#binding.pour === undefined) {
      for (;;) {
        const chunk = await this.nextItem(() => wanted);
        if (chunk === undefined || !wanted) return;
        hand(chunk);
      }
    }
    this.#binding.pour(sink);
    // What is left to come through here is the format and the end.
    while (wanted && (await Promise.race([this.pull(), over])));
  }

  protected override accept(item: AudioItem): void {
    switch (item.type) {
      case "started":
        this.#format = { sample_rate: item.sample_rate, channels: item.channels };
        this.#begins = true;
        this.emit("started", this.#format);
        break;
      case "samples":
        // The session hands over no samples before it knows their format.
        if (this.#format !== undefined) {
          const chunk = { samples: item.samples, ...this.#format };
          this.#chunks.push(chunk);
          if (this.#begins) this.#firsts.add(chunk);
          this.#begins = false;
          this.#held += frames(chunk);
        }
        break;
      case "error":
        this.emit("error", item.message);
    }
  }

  protected override take(): AudioChunk | undefined {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) this.#held -= frames(chunk);
    return chunk;
  }

  async *#bytes(duration: number, header: boolean): AsyncGenerator<Uint8Array, void, undefined> {
    let format: AudioFormat | undefined;
    let left = Infinity;
    for (let chunk = await this.nextItem(); chunk !== undefined; chunk = await this.nextItem()) {
      if (format === undefined) {
        format = chunk;
        left = Math.round(duration * chunk.sample_rate);
        if (header) yield this.#pcm.wavHeader(chunk.sample_rate, chunk.channels);
      } else if (chunk.sample_rate !== format.sample_rate || chunk.channels !== format.channels) {
        // The bytes have one format, so they end where another begins.
        this.#chunks.unshift(chunk);
        this.#held += frames(chunk);
        return;
      }
      const wanted = Math.min(left, frames(chunk));
      yield this.#pcm.wavEncode(chunk.samples.subarray(0, wanted * chunk.channels));
      left -= wanted;
      if (left === 0) return;
    }
  }
}

function frames(chunk: AudioChunk): number {
  return chunk.samples.length / chunk.channels;
}
