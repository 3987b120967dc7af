import type { Asset } from "../assets/asset.js";
import type { Depth, FromWorklet, WorkletOptions } from "./messages.js";
import type { Player, PlayerParts, PlayOptions } from "./player.js";
import { createRing } from "./ring.js";
import type { AudioSource } from "./source.js";

/** The time limit for the start of a worklet, in milliseconds. */
const START_TIMEOUT = 10_000;
/** The default depth of the jitter buffer, in milliseconds. The player adapts the depth to the measured jitter. */
const DEFAULT_DEPTH: Depth = { initial: 60, minimum: 0 };

/**
 * Plays audio in a context.
 *
 * @param createPlayer Creates the player from its parts.
 * @param release Closes the context if the package created it.
 */
export async function play(
  context: AudioContext,
  audio: AudioSource,
  { volume = 1, target }: PlayOptions,
  worklet: Asset<string | URL>,
  createPlayer: (parts: PlayerParts, volume: number) => Player,
  release: () => Promise<void>,
): Promise<Player> {
  const depth = target === undefined ? DEFAULT_DEPTH : { initial: target, minimum: target };
  const source = await worklet.use((url) => startWorklet(context, url, { depth, volume }));
  source.connect(context.destination);

  const feed = new MessageChannel();
  // Samples in shared memory reach the audio thread without passing through the event loop of another thread.
  const ring = globalThis.crossOriginIsolated && audio.offThread ? createRing() : undefined;
  source.port.postMessage({ type: "feed", port: feed.port2, ring }, [feed.port2]);
  const transport = audio.offThread ? (ring ? "ring" : "port") : "page";
  const player = createPlayer({ context, source, transport, release }, volume);
  audio
    .pipeTo({ port: feed.port1, ring }, player.ended)
    // The channel itself reports its failure.
    .catch(() => {})
    .then(() => player.stop());
  return player;
}

/** Creates the `AudioWorkletNode` of a player in a context. */
async function startWorklet(context: AudioContext, url: string | URL, settings: WorkletOptions): Promise<AudioWorkletNode> {
  const failed = (cause: unknown) =>
    new Error(`the worklet ${url} cannot be loaded: ${cause instanceof Error ? cause.message : cause}`, { cause });
  let node: AudioWorkletNode;
  try {
    await context.audioWorklet.addModule(url);
    const options = { numberOfInputs: 0, outputChannelCount: [2], processorOptions: settings };
    node = new AudioWorkletNode(context, "orgo-player", options);
  } catch (error) {
    throw failed(error);
  }
  // In some browsers `addModule` resolves although the module throws an exception.
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(failed("it did not start in time")), START_TIMEOUT);
    const settle = (settled: () => void) => {
      clearTimeout(timer);
      settled();
    };
    node.onprocessorerror = () => settle(() => reject(failed("it threw an exception")));
    node.port.onmessage = (_: MessageEvent<FromWorklet>) => settle(resolve);
  });
  return node;
}
