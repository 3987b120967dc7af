// Code that needs the types of the DOM.
import { type AudioStream, configure } from "orgo-sdk";

export async function play(audio: AudioStream): Promise<AudioNode> {
  configure({ workletUrl: new URL("https://h/worklet.js"), wasm: await WebAssembly.compile(new Uint8Array()) });
  const player = await audio.play({ context: new AudioContext() });
  const analyser = new AnalyserNode(player.node.context as AudioContext);
  return player.node.connect(analyser);
}
