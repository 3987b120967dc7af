import type { AudioChunk, AudioStream } from "../channel/audio.js";
import { BindingError } from "../errors.js";
import { Player, type PlayerParts, type PlayOptions, type WorkletReport } from "./player.js";

/** How long a worklet may take to say that it runs, in milliseconds. */
const HELLO_LIMIT = 10_000;

/** Plays a stream in the page, at first at the rate that is expected of it. */
export async function play(
  audio: AudioStream,
  { context: given, volume = 1 }: PlayOptions,
  expectedRate: number,
  workletUrl: string | URL,
): Promise<Player> {
  if (typeof AudioContext === "undefined") throw unusable("there is no AudioContext here");
  // A number for the hint would be taken as a wish for a longer delay.
  const context =
    (given as unknown as AudioContext | undefined) ??
    new AudioContext({ sampleRate: expectedRate, latencyHint: "interactive" });
  const release = async () => {
    if (given === undefined) await context.close();
  };
  try {
    const source = await startWorklet(context, workletUrl);
    const gain = new GainNode(context);
    source.connect(gain).connect(context.destination);
    const player = new Player({ context, source, gain, release } satisfies PlayerParts, volume);
    source.port.onmessage = ({ data }: MessageEvent<WorkletReport>) => player.report(data);
    source.port.start();
    void feed(audio, source.port, player);
    return player;
  } catch (error) {
    await release();
    throw error;
  }
}

/** Adds the player's node to a context. */
async function startWorklet(context: AudioContext, url: string | URL): Promise<AudioWorkletNode> {
  const failed = (cause: unknown) =>
    unusable(`the worklet ${url} cannot be used: ${cause instanceof Error ? cause.message : cause}`, cause);
  let node: AudioWorkletNode;
  try {
    await context.audioWorklet.addModule(url);
    node = new AudioWorkletNode(context, "orgo-player", { numberOfInputs: 0, outputChannelCount: [2] });
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
    node.port.onmessage = () => settle(resolve);
  });
  return node;
}

/** Hands the samples to the worklet until the stream or the player ends. */
async function feed(chunks: AsyncIterable<AudioChunk>, port: MessagePort, player: Player): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (player.state === "stopped") return;
      const { buffer, byteLength } = chunk.samples;
      // What shares its memory with other chunks has to be copied.
      const own = buffer.byteLength === byteLength && buffer instanceof ArrayBuffer;
      port.postMessage({ type: "samples", ...chunk }, own ? [buffer] : []);
    }
  } catch {
    // The channel itself says why it ended.
  }
  await player.stop();
}

function unusable(problem: string, cause?: unknown): BindingError {
  return new BindingError({ kind: "binding", message: `audio.play: ${problem}`, delivered: "no", cause });
}
