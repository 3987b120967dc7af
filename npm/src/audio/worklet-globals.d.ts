/** What an audio worklet finds in its global scope, which the DOM's types leave out. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(
  name: string,
  processor: new (options: { processorOptions: import("./messages.js").WorkletOptions }) => AudioWorkletProcessor,
): void;
declare const sampleRate: number;

/** The module of wasm/playout, which the build puts into the worklet. */
declare module "playout.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
