/** The global scope of an audio worklet, which the DOM types do not declare. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(
  name: string,
  processor: new (options: { processorOptions: import("./messages.js").WorkletOptions }) => AudioWorkletProcessor,
): void;
declare const sampleRate: number;

/** The WebAssembly module of wasm/playout. The build embeds it in the worklet. */
declare module "playout.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
