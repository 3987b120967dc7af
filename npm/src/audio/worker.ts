/**
 * The thread that owns a sound channel: it has the socket and the decoder, and hands the samples to the worklet, so
 * that nothing that the page does can hold the sound up. One file without imports when it is built.
 */
import type { BindingChannel, Log, Sink } from "../binding.js";
import init, { Client } from "../bindings/wasm/orgo_wasm.js";
import type { AudioItem, ChannelState } from "../generated/channels.js";
import type { FromWorker, ToWorker } from "./messages.js";
import { RingWriter } from "./ring.js";

/** How often the page learns the counters while the samples do not pass through it, in milliseconds. */
const COUNTING = 200;

const post = (message: FromWorker, transfer: Transferable[] = []) => postMessage(message, { transfer });

/** The channel, and who gets its items. */
class Server {
  readonly #channel: BindingChannel<AudioItem>;
  /** Items for the page that it has not asked for yet. */
  #held: AudioItem[] = [];
  #wanted = false;
  #closed = false;
  #format = { sample_rate: 0, channels: 0 };
  #begins = false;
  #pour: ((samples: Float32Array) => void) | undefined;
  #counting: ReturnType<typeof setInterval> | undefined;
  #wake = () => {};

  constructor(channel: BindingChannel<AudioItem>) {
    this.#channel = channel;
  }

  /** Tells the page every state. */
  async announce(): Promise<void> {
    const channel = this.#channel;
    for (let state: ChannelState | null = channel.state(); state !== null; state = await channel.nextState()) {
      post({ type: "state", state, counters: channel.counters() });
    }
    this.#closed = true;
    this.#wake();
  }

  /** Passes the questions for a password on to the page. */
  async inquire(): Promise<void> {
    while (await this.#channel.nextPasswordRequest()) post({ type: "question" });
  }

  /** Takes the items as long as somebody wants them, and all that are left when the channel has ended. */
  async serve(): Promise<void> {
    for (;;) {
      while (!this.#wanted && !this.#closed && this.#pour === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      const items = await this.#channel.next();
      for (const item of items ?? []) this.#sort(item);
      if (this.#held.length > 0 && (this.#wanted || items === null)) this.#flush();
      if (items === null) break;
    }
    clearInterval(this.#counting);
    // Whether it ended as it should is what the last state says, so the page gets that first.
    while (!this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve));
    post({ type: "items", items: null, counters: this.#channel.counters() });
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case "next":
        this.#wanted = true;
        if (this.#held.length > 0) this.#flush();
        break;
      case "pour":
        this.#direct(message.sink);
        break;
      case "answer":
        this.#channel.providePassword(message.target, message.problem);
        break;
      case "close":
        this.#channel.close();
    }
    this.#wake();
  }

  #direct(sink: Sink | undefined): void {
    clearInterval(this.#counting);
    this.#pour = undefined;
    if (sink === undefined) return;
    const writer = sink.ring && new RingWriter(sink.ring);
    this.#pour = (samples) => {
      const chunk = { samples, ...this.#format, begins: this.#begins };
      this.#begins = false;
      if (writer) writer.write(chunk);
      else sink.port.postMessage(chunk, [samples.buffer]);
    };
    this.#counting = setInterval(() => post({ type: "counters", counters: this.#channel.counters() }), COUNTING);
  }

  #sort(item: AudioItem): void {
    if (item.type === "started") {
      this.#format = { sample_rate: item.sample_rate, channels: item.channels };
      this.#begins = true;
    }
    if (item.type === "samples" && this.#pour) this.#pour(item.samples);
    else this.#held.push(item);
  }

  #flush(): void {
    const items = this.#held.splice(0);
    this.#wanted = false;
    const memory = items.flatMap((item) => (item.type === "samples" ? [item.samples.buffer] : []));
    post({ type: "items", items, counters: this.#channel.counters() }, memory);
  }
}

let server: Server | undefined;

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "open") void open(data);
  else server?.receive(data);
});

async function open({ module, config, target, options }: ToWorker & { type: "open" }): Promise<void> {
  try {
    await init({ module_or_path: module });
    const log: Log = (level, line) => post({ type: "log", level, line });
    const channel = await new Client(config, log).open("audio", target, options);
    server = new Server(channel);
  } catch (error) {
    post({ type: "refused", error });
    return;
  }
  await Promise.all([server.announce(), server.inquire(), server.serve()]).catch((error: unknown) =>
    post({ type: "broken", error }),
  );
}

post({ type: "hello" });
