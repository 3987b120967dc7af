// The worker that owns an audio channel. It contains the socket and the decoder, and sends the samples directly to the worklet,
// so that a busy main thread cannot delay them. The build bundles it into one file without imports.

import type { BindingChannel, Log, SampleSink } from "../binding.js";
import * as channels from "../bindings/wasm/orgo_channels.js";
import * as complete from "../bindings/wasm/orgo_wasm.js";
import type { AudioItem, ChannelState } from "../generated/channels.js";
import type { FromWorker, ToWorker } from "./messages.js";
import { RingWriter } from "./ring.js";

/** Whether this script supports the complete module too, or only the module with the channels, which most pages use. */
declare const WITH_COMPLETE: boolean;

/** The interval at which the page receives the counters while the samples go to the worklet, in milliseconds. */
const COUNTERS_INTERVAL = 200;

const post = (message: FromWorker, transfer: Transferable[] = []) => postMessage(message, { transfer });

/** Connects the channel to the page and the worklet. */
class ChannelHost {
  readonly #channel: BindingChannel<AudioItem>;
  /** Items that the page has not requested yet. */
  #buffer: AudioItem[] = [];
  #requested = false;
  #closed = false;
  #format = { sample_rate: 0, channels: 0 };
  #discontinuity = false;
  #writeSamples: ((samples: Float32Array) => void) | undefined;
  #countersTimer: ReturnType<typeof setInterval> | undefined;
  #wake = () => {};

  constructor(channel: BindingChannel<AudioItem>) {
    this.#channel = channel;
  }

  /** Sends every state to the page. */
  async postStates(): Promise<void> {
    const channel = this.#channel;
    for (let state: ChannelState | null = channel.state(); state !== null; state = await channel.nextState()) {
      post({ type: "state", state, counters: channel.counters() });
    }
    this.#closed = true;
    this.#wake();
  }

  /** Forwards the password requests to the page. */
  async postPasswordRequests(): Promise<void> {
    while (await this.#channel.nextPasswordRequest()) post({ type: "password-request" });
  }

  /** Reads items while the page requests them, and the remaining items after the channel has ended. */
  async postItems(): Promise<void> {
    for (;;) {
      while (!this.#requested && !this.#closed && this.#writeSamples === undefined) {
        await this.#woken();
      }
      const items = await this.#channel.next();
      for (const item of items ?? []) this.#dispatch(item);
      if (this.#buffer.length > 0 && (this.#requested || items === null)) this.#flush();
      if (items === null) break;
    }
    clearInterval(this.#countersTimer);
    // The last state reports whether the channel was closed normally, so the page gets it before the end of the items.
    while (!this.#closed) await this.#woken();
    post({ type: "items", items: null, counters: this.#channel.counters() });
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case "next":
        this.#requested = true;
        if (this.#buffer.length > 0) this.#flush();
        break;
      case "pipe":
        this.#pipeTo(message.sink);
        break;
      case "password":
        this.#channel.providePassword(message.target, message.problem);
        break;
      case "close":
        this.#channel.close();
    }
    this.#wake();
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #pipeTo(sink: SampleSink | undefined): void {
    clearInterval(this.#countersTimer);
    this.#writeSamples = undefined;
    if (sink === undefined) return;
    const writer = sink.ring && new RingWriter(sink.ring);
    this.#writeSamples = (samples) => {
      const chunk = { samples, ...this.#format, discontinuity: this.#discontinuity };
      this.#discontinuity = false;
      if (writer) writer.write(chunk);
      else sink.port.postMessage(chunk, [samples.buffer]);
    };
    this.#countersTimer = setInterval(() => post({ type: "counters", counters: this.#channel.counters() }), COUNTERS_INTERVAL);
  }

  #dispatch(item: AudioItem): void {
    if (item.type === "started") {
      this.#format = { sample_rate: item.sample_rate, channels: item.channels };
      this.#discontinuity = true;
    }
    if (item.type === "samples" && this.#writeSamples) this.#writeSamples(item.samples);
    else this.#buffer.push(item);
  }

  #flush(): void {
    const items = this.#buffer.splice(0);
    this.#requested = false;
    const memory = items.flatMap((item) => (item.type === "samples" ? [item.samples.buffer] : []));
    post({ type: "items", items, counters: this.#channel.counters() }, memory);
  }
}

let host: ChannelHost | undefined;

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "open") void open(data);
  else host?.receive(data);
});

async function open({ wasm, config, target, options }: ToWorker & { type: "open" }): Promise<void> {
  try {
    const { Client, init } = WITH_COMPLETE && wasm.name === "wasm" ? complete : channels;
    await init({ module_or_path: wasm.module });
    const log: Log = (level, line) => post({ type: "log", level, line });
    const channel = await new Client(config, log).open("audio", target, options);
    host = new ChannelHost(channel);
  } catch (error) {
    post({ type: "refused", error });
    return;
  }
  await Promise.all([host.postStates(), host.postPasswordRequests(), host.postItems()]).catch((error: unknown) =>
    post({ type: "failed", error }),
  );
}

post({ type: "ready" });
