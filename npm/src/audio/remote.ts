/** A sound channel that lives in a worker, seen from the page. */
import type {
  Binding,
  BindingChannel,
  BindingClient,
  BindingConfig,
  ChannelItems,
  ChannelKind,
  ChannelTarget,
  Log,
  Sink,
} from "../binding.js";
import type { InitInput } from "../bindings/wasm/orgo_wasm.js";
import type { AudioItem, ChannelState, Counters } from "../generated/channels.js";
import type { FromWorker, ToWorker } from "./messages.js";

/** How long a worker may take to say that it runs, in milliseconds. */
const HELLO_LIMIT = 10_000;

/** The binding, with its sound channels in workers of their own where the page may have workers. */
export function withAudioWorkers(binding: Binding, module: InitInput, url: () => string | URL): Binding {
  class Client extends binding.Client implements BindingClient {
    readonly #config: BindingConfig;
    readonly #log: Log | undefined;

    constructor(config: BindingConfig, log?: Log) {
      super(config, log);
      this.#config = config;
      this.#log = log;
    }

    override async open<Kind extends ChannelKind>(
      kind: Kind,
      target: ChannelTarget,
      options: object,
    ): Promise<BindingChannel<ChannelItems[Kind]>> {
      const task: ToWorker = { type: "open", module, config: this.#config, target, options };
      const worker = kind === "audio" ? await startWorker(url, task) : undefined;
      if (worker === undefined) return super.open(kind, target, options);
      // The compiler cannot conclude the item from the comparison.
      return RemoteAudio.open(worker, this.#log) as Promise<BindingChannel<AudioItem>> as never;
    }
  }
  return { ...binding, Client };
}

/** A worker that opens the channel; `undefined` where the page's policy or the browser does not let it. */
async function startWorker(url: () => string | URL, task: ToWorker): Promise<Worker | undefined> {
  let worker: Worker;
  try {
    worker = new Worker(url(), { type: "module", name: "orgo-sound" });
  } catch {
    return undefined;
  }
  const runs = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), HELLO_LIMIT);
    const settle = (runs: boolean) => {
      clearTimeout(timer);
      resolve(runs);
    };
    worker.onmessage = () => settle(true);
    worker.onerror = (event) => {
      event.preventDefault();
      settle(false);
    };
  });
  try {
    if (!runs) throw new Error("it does not run");
    // Not every browser lets a compiled module go from one thread to another.
    worker.postMessage(task);
    return worker;
  } catch {
    worker.terminate();
    return undefined;
  }
}

/** Has the shape of a channel of the binding; its figures are those of the last message. */
class RemoteAudio implements BindingChannel<AudioItem> {
  readonly #worker: Worker;
  readonly #log: Log | undefined;
  readonly #states: ChannelState[] = [];
  #state: ChannelState;
  #counters: Counters;
  #items: AudioItem[] = [];
  #ended = false;
  /** Questions for a password that nobody took. */
  #questions = 0;
  #broken: { error: unknown } | undefined;
  #wake: (() => void)[] = [];

  static open(worker: Worker, log: Log | undefined): Promise<RemoteAudio> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        worker.terminate();
        reject(error);
      };
      worker.onerror = ({ message }) => fail(new Error(message));
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.type === "state") resolve(new RemoteAudio(worker, log, data.state, data.counters));
        else if (data.type === "log") log?.(data.level, data.line);
        else if (data.type === "refused") fail(data.error);
      };
    });
  }

  private constructor(worker: Worker, log: Log | undefined, state: ChannelState, counters: Counters) {
    this.#worker = worker;
    this.#log = log;
    this.#state = state;
    this.#counters = counters;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    worker.onerror = ({ message }) => this.#receive({ type: "broken", error: new Error(message) });
  }

  async next(): Promise<AudioItem[] | null> {
    if (this.#items.length === 0 && !this.#ended) this.#send({ type: "next" });
    while (this.#items.length === 0) {
      if (this.#broken) throw this.#broken.error;
      if (this.#ended) return null;
      await this.#change();
    }
    return this.#items.splice(0);
  }

  async nextState(): Promise<ChannelState | null> {
    for (;;) {
      const state = this.#states.shift();
      if (state !== undefined) return state;
      if (this.#broken) throw this.#broken.error;
      if (this.#state.status === "closed") return null;
      await this.#change();
    }
  }

  async nextPasswordRequest(): Promise<boolean> {
    while (this.#questions === 0) {
      if (this.#broken || this.#state.status === "closed") return false;
      await this.#change();
    }
    this.#questions -= 1;
    return true;
  }

  providePassword(target: ChannelTarget | undefined, problem?: string): void {
    this.#send({ type: "answer", target, problem });
  }

  /** An audio channel sends no input. */
  async nextProgress(): Promise<boolean> {
    return false;
  }

  /** An audio channel has no commands. */
  command(name: string): never {
    throw new Error(`an audio channel has no command ${name}`);
  }

  state(): ChannelState {
    return this.#state;
  }

  counters(): Counters {
    return this.#counters;
  }

  close(): void {
    this.#send({ type: "close" });
  }

  pour(sink: Sink | undefined): void {
    if (sink === undefined) this.#send({ type: "pour", sink });
    else this.#worker.postMessage({ type: "pour", sink } satisfies ToWorker, [sink.port]);
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if ("counters" in message) this.#counters = message.counters;
    switch (message.type) {
      case "state":
        this.#state = message.state;
        this.#states.push(message.state);
        break;
      case "items":
        if (message.items === null) this.#ended = true;
        else this.#items.push(...message.items);
        break;
      case "log":
        this.#log?.(message.level, message.line);
        break;
      case "question":
        this.#questions += 1;
        break;
      case "broken":
        this.#broken = message;
    }
    if (this.#broken || (this.#ended && this.#state.status === "closed")) this.#worker.terminate();
    for (const resolve of this.#wake.splice(0)) resolve();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
}
