import type { Asset } from "../assets/asset.js";
import { useWasmSetting } from "../assets/options.js";
import {
  compileModule,
  loadClasses,
  loadModule,
  loadScreenScript,
  loadUploads,
  modules,
  screenModule,
  screenWorkers,
  type WasmAsset,
  workers,
  worklet,
} from "../assets/page.js";
import type { PlayOptions } from "../audio/player.js";
import type { AudioSource } from "../audio/source.js";
import { withAudioWorkers } from "../audio/workers.js";
import type { BindingParts, Part } from "../binding.js";
import { type Glue, loadWasm, usingWasm } from "../bindings/wasm.js";
import type * as ChannelClasses from "../channel/classes.js";
import { loadedClasses } from "../channel/on-demand.js";
import { OrgoClient, type OrgoOptions } from "../client.js";
import { ConnectedComputer, type Connection, type ConnectionData, type ConnectOptions } from "../connection.js";
import { BindingError, messageOf, notLoaded } from "../errors.js";
import { type BindingInfo, type LoadedBinding, once, type Platform } from "../platform.js";

export { type AssetOptions, configure } from "../assets/options.js";
export { AudioStream, Channel, EventStream, Player, Screen, Terminal } from "../channel/on-demand.js";
export * from "../index.js";

const loaders: { [Name in Part]: () => Promise<LoadedBinding<BindingParts[Name]>> } = {
  rest: once(async () => loaded(modules.rest, (await load(modules.rest)).glue)),
  channels: once(async () => {
    const [{ glue, ...wasm }] = await Promise.all([load(modules.channels), classes()]);
    return loaded(modules.channels, hasWorkers() ? withAudioWorkers(glue, wasm, workers[wasm.name]) : glue);
  }),
  screen: once(() => usingWasm(loadScreen)),
};

/** Loads the two modules of a screen. The page instantiates only one of them: the connection is in the worker. */
async function loadScreen(): Promise<LoadedBinding<BindingParts["screen"]>> {
  const compiled = Promise.all([loadModule(screenModule), compileModule(modules.channels)]);
  const connection = useWasmSetting() === undefined ? "channels" : "wasm";
  const [binding] = await Promise.all([
    loadScreenScript().then(({ screenBinding }) => screenBinding(compiled, connection, screenWorkers)),
    compiled,
  ]);
  return loaded(screenModule.fallbackCause === undefined ? modules.channels : screenModule, binding);
}

/** Loads the classes of the channels, at the same time as the module. */
async function classes(): Promise<typeof ChannelClasses> {
  const classes = await loadClasses().catch(notLoaded("channels"));
  Object.assign(loadedClasses, classes);
  return classes;
}

/** The part that was loaded first. */
let first: Part | undefined;

const platform: Platform = {
  load: (part) => {
    first ??= part;
    return loaders[part]();
  },
  environment: () => undefined,
  // Returns `true` in a document or a worker, but not in a server that uses this entry point.
  exposed: () =>
    typeof document !== "undefined" || ("WorkerGlobalScope" in globalThis && navigator.userAgent !== "Cloudflare-Workers"),
  classes,
  screenClass: async () => {
    const { Channel, Screen } = await loadScreenScript();
    Object.assign(loadedClasses, { Channel, Screen });
    return Screen;
  },
  openContent: async (...parts) => {
    const { openContent } = await loadUploads().catch(notLoaded("uploads"));
    return openContent(...parts);
  },
  play: playAudio,
};

/** Plays audio in a page. `expectedRate` is the probable sample rate of the source, in Hz. */
async function playAudio(source: AudioSource, options: PlayOptions, expectedRate: number): Promise<ChannelClasses.Player> {
  const failed = (problem: string, cause?: unknown) =>
    new BindingError({ kind: "binding", message: `audio.play: ${problem}`, delivered: "no", cause });
  if (typeof AudioContext === "undefined") throw failed("only a page has an AudioContext");
  const given = options.context as unknown as AudioContext | undefined;
  // Browsers start a context if it is created during an action of the user, so it is created first. A numeric `latencyHint`
  // would increase the latency.
  const context = given ?? new AudioContext({ sampleRate: expectedRate, latencyHint: "interactive" });
  const release = async () => {
    if (given === undefined) await context.close();
  };
  try {
    const [{ play }, { Player }] = await Promise.all([import("../audio/in-page.js"), classes()]);
    return await play(context, source, options, worklet, (...parts) => new Player(...parts), release);
  } catch (error) {
    await release();
    throw failed(messageOf(error), error);
  }
}

const load = <Name, Loaded extends Glue>(asset: WasmAsset<Name, Loaded>) => loadWasm(() => loadModule(asset));

const loaded = <Binding>({ fallbackCause }: Asset<unknown>, binding: Binding): LoadedBinding<Binding> => ({
  binding,
  ...(fallbackCause !== undefined && { fallback_cause: fallbackCause }),
});

/** Returns whether audio channels run in workers: only in a document, whose main thread may be busy. */
const hasWorkers = () => typeof document !== "undefined" && typeof Worker !== "undefined";

/**
 * A client of the service in a page.
 *
 * A page must not contain an API key. To open the channels of one computer, use {@link Orgo.connect} with a connection from your
 * server.
 */
export class Orgo extends OrgoClient {
  /**
   * Creates a client. It makes no call. The first call checks the URLs and the headers.
   *
   * @throws InvalidParameterError for an invalid option, and for an API key without `dangerouslyAllowBrowser`.
   */
  constructor(options: OrgoOptions = {}) {
    super(platform, options);
  }

  /**
   * Returns a handle that opens the channels of one computer without an API key. Makes no call.
   *
   * @param connection The result of {@link Computer.connection}, or its JSON.
   * @throws InvalidParameterError for an invalid connection or option.
   */
  static connect(connection: Connection | ConnectionData, options?: ConnectOptions): ConnectedComputer {
    return new ConnectedComputer(platform, connection, options);
  }

  /**
   * Loads a part of the implementation if necessary, and returns its kind and version, and the reason for a fallback to the embedded copy of
   * the WebAssembly module.
   *
   * @throws BindingError if it cannot be loaded.
   */
  static async bindingInfo(): Promise<BindingInfo> {
    const { binding, ...info } = await platform.load(first ?? "channels");
    return { kind: binding.kind(), version: binding.version(), ...info };
  }
}
