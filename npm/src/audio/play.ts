import { BindingError } from "../errors.js";
import type { Depth, FromWorklet, WorkletOptions } from "./messages.js";
import { Player, type PlayOptions } from "./player.js";
import { makeRing } from "./ring.js";
import type { SoundSource } from "./source.js";

/** How long a worklet may take to say that it runs, in milliseconds. */
const HELLO_LIMIT = 10_000;
/** What is buffered while nothing is known of the network. */
const DEFAULT_DEPTH: Depth = { first: 60, least: 0 };

/** Plays sound in the page, at first at the rate that is expected of it. */
export async function play(
  sound: SoundSource,
  { context: given, volume = 1, target }: PlayOptions,
  expectedRate: number,
  workletUrl: string | URL,
): Promise<Player> {
  if (typeof AudioContext === "undefined") throw unusable("there is no AudioContext here");
  // A number for the hint would be taken as a wish for a longer delay.
  const context =
    (given as unknown as AudioContext | undefined) ?? new AudioContext({ sampleRate: expectedRate, latencyHint: "interactive" });
  const release = async () => {
    if (given === undefined) await context.close();
  };
  try {
    const depth = target === undefined ? DEFAULT_DEPTH : { first: target, least: target };
    const source = await startWorklet(context, workletUrl, { depth, volume });
    source.connect(context.destination);

    const feed = new MessageChannel();
    // What arrives in shared memory needs nobody to deliver it.
    const ring = globalThis.crossOriginIsolated && sound.pours ? makeRing() : undefined;
    source.port.postMessage({ type: "feed", port: feed.port2, ring }, [feed.port2]);
    const transport = sound.pours ? (ring ? "ring" : "port") : "page";
    const player = new Player({ context, source, transport, release }, volume);
    void sound
      .pour({ port: feed.port1, ring }, player.ended)
      // The channel itself says why it ended.
      .catch(() => {})
      .then(() => player.stop());
    return player;
  } catch (error) {
    await release();
    throw error;
  }
}

/** Adds the player's node to a context. */
async function startWorklet(context: AudioContext, url: string | URL, settings: WorkletOptions): Promise<AudioWorkletNode> {
  const failed = (cause: unknown) =>
    unusable(`the worklet ${url} cannot be used: ${cause instanceof Error ? cause.message : cause}`, cause);
  let node: AudioWorkletNode;
  try {
    await context.audioWorklet.addModule(url);
    const options = { numberOfInputs: 0, outputChannelCount: [2], processorOptions: settings };
    node = new AudioWorkletNode(context, "orgo-player", options);
  } catch (error) {
    throw failed(error);
  }
  // A module that throws while it is evaluated does not make addModule fail in every browser.
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(failed("it does not answer")), HELLO_LIMIT);
    const settle = (settled: () => void) => {
      clearTimeout(timer);
      settled();
    };
    node.onprocessorerror = () => settle(() => reject(failed("it threw an error")));
    node.port.onmessage = (_: MessageEvent<FromWorklet>) => settle(resolve);
  });
  return node;
}

function unusable(problem: string, cause?: unknown): BindingError {
  return new BindingError({ kind: "binding", message: `audio.play: ${problem}`, delivered: "no", cause });
}
