// The part of the live screen that a page downloads with its first screen.

import type { Asset } from "../assets/asset.js";
import { createWorker } from "../assets/worker.js";
import type {
  BindingChannel,
  BindingConfig,
  BindingParts,
  ChannelClient,
  ChannelItems,
  ChannelKind,
  ChannelTarget,
  Log,
} from "../binding.js";
import * as glue from "../bindings/wasm/orgo_screen.js";
import type { ScreenItem } from "../generated/channels.js";
import { VERSION } from "../version.js";
import type { ConnectionGlue, ConnectionName } from "./glue.js";
import { ScreenHost } from "./host.js";
import type { FromHost, ToHost } from "./messages.js";
import { type Port, RemoteScreen } from "./remote.js";

export { init } from "../bindings/wasm/orgo_screen.js";
export { Channel } from "../channel/channel.js";
export { Screen } from "../channel/screen.js";

/** Returns the URL of the WebAssembly module, next to which the build writes this script. */
export const moduleUrl = () => new URL("./orgo_screen_bg.wasm", import.meta.url);

/** The compiled module that runs the connection of a screen. */
interface Connection {
  name: ConnectionName;
  glue: ConnectionGlue;
  module: WebAssembly.Module;
}

type WorkerAsset = Asset<string | URL>;

/**
 * Returns the part of the binding with the screen. Each screen runs in a worker if the page can create workers. The page itself uses
 * the module of the screen only to check commands.
 *
 * @param compiled The modules of the screen and of its connection. The worker of the first screen starts while they are downloaded.
 * @param expected The module of the connection, unless the embedded copy has to be used.
 */
export async function screenBinding(
  compiled: Promise<[{ module: WebAssembly.Module }, Connection]>,
  expected: ConnectionName,
  workers: Record<ConnectionName, WorkerAsset>,
): Promise<BindingParts["screen"]> {
  const first = startWorker(workers[expected]);
  const [{ module: screen }, { name, glue: connectionGlue, module }] = await compiled.catch((error: unknown) => {
    endWorker(first);
    throw error;
  });
  let started: typeof first | undefined = first;
  if (name !== expected) {
    await first;
    // Only the embedded copy supports both modules.
    if (workers[expected].fallbackCause === undefined) {
      endWorker(first);
      started = undefined;
    }
  }
  class Client implements ChannelClient {
    readonly #config: BindingConfig;
    readonly #log: Log | undefined;

    constructor(config: BindingConfig, log?: Log) {
      // The page requests the password, so the worker does not need the API key.
      const { api_key: _, ...settings } = config;
      this.#config = settings;
      this.#log = log;
    }

    async open<Kind extends ChannelKind>(
      _kind: Kind,
      target: ChannelTarget,
      options: object,
    ): Promise<BindingChannel<ChannelItems[Kind]>> {
      const task: ToHost = { type: "open", screen, connection: { name, module }, config: this.#config, target, options };
      const worker = started ?? startWorker(workers[name]);
      started = undefined;
      const port = workerPort(await worker, task) ?? pagePort(task, connectionGlue);
      // The module has only this kind of channel.
      return RemoteScreen.open(port, glue.Screen.mirror(), this.#log) as Promise<BindingChannel<ScreenItem>> as never;
    }
  }
  // The module and this script are of the same package.
  return { kind: () => "wasm", version: () => VERSION, Client };
}

const canTransfer = () =>
  typeof Worker !== "undefined" &&
  typeof OffscreenCanvas !== "undefined" &&
  typeof HTMLCanvasElement !== "undefined" &&
  "transferControlToOffscreen" in HTMLCanvasElement.prototype;

/** Starts a worker. Resolves with `undefined` if the Content-Security-Policy of the page or the browser prevents this. */
async function startWorker(file: WorkerAsset): Promise<Worker | undefined> {
  return canTransfer() ? file.use((url) => createWorker(url, "orgo-screen")).catch(() => undefined) : undefined;
}

const endWorker = (started: Promise<Worker | undefined>) => void started.then((worker) => worker?.terminate());

/** Opens the screen in a worker. Returns `undefined` if there is none. */
function workerPort(worker: Worker | undefined, task: ToHost): Port | undefined {
  if (worker === undefined) return undefined;
  const port: Port = {
    remote: true,
    onmessage: () => {},
    onerror: () => {},
    send: (message, transfer = []) => worker.postMessage(message, transfer),
    end: () => worker.terminate(),
  };
  worker.onmessage = ({ data }: MessageEvent<FromHost>) => port.onmessage(data);
  worker.onerror = ({ message }) => port.onerror(message);
  try {
    // Throws in browsers that cannot send a compiled module to a worker.
    port.send(task);
    return port;
  } catch {
    port.end();
    return undefined;
  }
}

/** Runs the host in the page. */
function pagePort(task: ToHost, connection: ConnectionGlue): Port {
  const host = new ScreenHost(
    glue,
    () => connection,
    (message) => port.onmessage(message),
    () => {},
  );
  const port: Port = {
    remote: false,
    onmessage: () => {},
    onerror: () => {},
    send: (message) => host.receive(message),
    end: () => {},
  };
  host.receive(task);
  return port;
}
