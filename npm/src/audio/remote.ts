// The page's side of an audio channel that runs in a worker.

import type { Asset } from "../assets/asset.js";
import type { BindingChannel, ChannelTarget, Log, PasswordProblem, SampleSink } from "../binding.js";
import type { AudioItem, ChannelState, Counters } from "../generated/channels.js";
import type { FromWorker, ToWorker } from "./messages.js";

/** The time limit for the start of a worker, in milliseconds. */
const START_TIMEOUT = 10_000;

/**
 * Opens an audio channel in a worker. Resolves with `undefined` if the page cannot start one.
 *
 * @param file The script of the worker.
 * @param task The message that opens the channel.
 */
export async function openRemote(
  file: Asset<string | URL>,
  task: ToWorker,
  log: Log | undefined,
): Promise<BindingChannel<AudioItem> | undefined> {
  const worker = await startWorker(file, task);
  return worker && RemoteAudio.open(worker, log);
}

/**
 * Starts a worker that opens the channel. Resolves with `undefined` if the Content-Security-Policy of the page or the browser
 * prevents this.
 */
async function startWorker(file: Asset<string | URL>, task: ToWorker): Promise<Worker | undefined> {
  const worker = await file.use(createWorker).catch(() => undefined);
  try {
    // Throws in browsers that cannot send a compiled module to a worker.
    worker?.postMessage(task);
    return worker;
  } catch {
    worker?.terminate();
    return undefined;
  }
}

/** Creates a worker and waits for its first message. */
async function createWorker(url: string | URL): Promise<Worker> {
  const worker = new Worker(url, { type: "module", name: "orgo-audio" });
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string) => reject(new Error(`the worker ${url} ${reason}`));
      const timer = setTimeout(() => fail("did not start in time"), START_TIMEOUT);
      worker.onmessage = () => {
        clearTimeout(timer);
        resolve();
      };
      worker.onerror = (event) => {
        event.preventDefault();
        clearTimeout(timer);
        fail("cannot be loaded");
      };
    });
    return worker;
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

/**
 * Implements the channel of a binding by messages to and from a worker. The state and the counters are those of the last message.
 */
class RemoteAudio implements BindingChannel<AudioItem> {
  readonly #worker: Worker;
  readonly #log: Log | undefined;
  readonly #states: ChannelState[] = [];
  #state: ChannelState;
  #counters: Counters;
  #items: AudioItem[] = [];
  #ended = false;
  /** The number of unanswered password requests. */
  #passwordRequests = 0;
  #failure: { error: unknown } | undefined;
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
    worker.onerror = ({ message }) => this.#receive({ type: "failed", error: new Error(message) });
  }

  async next(): Promise<AudioItem[] | null> {
    if (this.#items.length === 0 && !this.#ended) this.#send({ type: "next" });
    while (this.#items.length === 0) {
      if (this.#failure) throw this.#failure.error;
      if (this.#ended) return null;
      await this.#change();
    }
    return this.#items.splice(0);
  }

  async nextState(): Promise<ChannelState | null> {
    for (;;) {
      const state = this.#states.shift();
      if (state !== undefined) return state;
      if (this.#failure) throw this.#failure.error;
      if (this.#state.status === "closed") return null;
      await this.#change();
    }
  }

  async nextPasswordRequest(): Promise<boolean> {
    while (this.#passwordRequests === 0) {
      if (this.#failure || this.#state.status === "closed") return false;
      await this.#change();
    }
    this.#passwordRequests -= 1;
    return true;
  }

  providePassword(target: ChannelTarget | undefined, problem?: PasswordProblem): void {
    this.#send({ type: "password", target, problem });
  }

  /** Resolves with `false`, because an audio channel sends no input. */
  async nextProgress(): Promise<boolean> {
    return false;
  }

  /** Throws, because an audio channel has no commands. */
  command(): never {
    throw new Error("an audio channel has no commands");
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

  pipeTo(sink: SampleSink | undefined): void {
    if (sink === undefined) this.#send({ type: "pipe", sink });
    else this.#worker.postMessage({ type: "pipe", sink } satisfies ToWorker, [sink.port]);
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
      case "password-request":
        this.#passwordRequests += 1;
        break;
      case "failed":
        this.#failure = message;
    }
    if (this.#failure || (this.#ended && this.#state.status === "closed")) this.#worker.terminate();
    for (const resolve of this.#wake.splice(0)) resolve();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
}
