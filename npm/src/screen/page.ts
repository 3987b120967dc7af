// The part of the live screen that a page downloads with its first screen.

import type { Asset } from "../assets/asset.js";
import { createWorker } from "../assets/worker.js";
import type { BindingConfig, ChannelTarget, Log } from "../binding.js";
import * as glue from "../bindings/wasm/orgo_screen.js";
import { ScreenHost } from "./host.js";
import type { FromHost, ToHost } from "./messages.js";
import { type Port, RemoteScreen } from "./remote.js";

/** Returns the URL of the WebAssembly module. */
export const moduleUrl = () => new URL("../wasm/orgo_screen_bg.wasm", import.meta.url);

/** The parts of a page that open a screen. */
export interface ScreenEnvironment {
  config: BindingConfig;
  log: Log | undefined;
  module: WebAssembly.Module;
  worker: Asset<string | URL>;
}

/** Opens a screen in a worker, or in the page if it cannot create a worker or transfer a canvas to it. */
export async function openScreen(
  { config, log, module, worker }: ScreenEnvironment,
  target: ChannelTarget,
  options: object,
): Promise<RemoteScreen> {
  await glue.init({ module_or_path: module });
  // The page makes the calls that need the API key.
  const { api_key: _, ...settings } = config;
  const task: ToHost & { type: "open" } = { type: "open", module, config: settings, target, options };
  return RemoteScreen.open((await workerPort(worker, task)) ?? pagePort(task), new glue.Mirror(), log);
}

const canTransfer = () =>
  typeof Worker !== "undefined" &&
  typeof OffscreenCanvas !== "undefined" &&
  typeof HTMLCanvasElement !== "undefined" &&
  "transferControlToOffscreen" in HTMLCanvasElement.prototype;

/** Starts a worker. Resolves with `undefined` if the Content-Security-Policy of the page or the browser prevents this. */
async function workerPort(file: Asset<string | URL>, task: ToHost): Promise<Port | undefined> {
  if (!canTransfer()) return undefined;
  const worker = await file.use((url) => createWorker(url, "orgo-screen")).catch(() => undefined);
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
function pagePort(task: ToHost): Port {
  const host = new ScreenHost(glue, (message) => port.onmessage(message));
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
