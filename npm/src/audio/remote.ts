// The page's side of an audio channel that runs in a worker.

import type { Asset } from "../assets/asset.js";
import { createWorker } from "../assets/worker.js";
import type { BindingChannel, Log, SampleSink } from "../binding.js";
import { RemoteChannel, type ToSession } from "../channel/remote.js";
import type { AudioItem } from "../generated/channels.js";
import type { FromWorker, ToWorker } from "./messages.js";

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
  const worker = await file.use((url) => createWorker(url, "orgo-audio")).catch(() => undefined);
  try {
    // Throws in browsers that cannot send a compiled module to a worker.
    worker?.postMessage(task);
    return worker;
  } catch {
    worker?.terminate();
    return undefined;
  }
}

/** An audio channel in a worker. */
class RemoteAudio extends RemoteChannel<AudioItem> {
  readonly #worker: Worker;

  static open(worker: Worker, log: Log | undefined): Promise<RemoteAudio> {
    return new RemoteAudio(worker, log).opened();
  }

  private constructor(worker: Worker, log: Log | undefined) {
    super(log);
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    worker.onerror = ({ message }) => this.#receive({ type: "failed", error: new Error(message) });
  }

  protected send(message: ToSession): void {
    this.#worker.postMessage(message);
  }

  /** Throws, because an audio channel has no commands. */
  command(): never {
    throw new Error("an audio channel has no commands");
  }

  pipeTo(sink: SampleSink | undefined): void {
    this.#worker.postMessage({ type: "pipe", sink } satisfies ToWorker, sink === undefined ? [] : [sink.port]);
  }

  #receive(message: FromWorker): void {
    if (this.receive(message) !== undefined) this.#worker.terminate();
  }
}
