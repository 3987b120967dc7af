import { configure } from "orgo-sdk";

/** Sets the locations of the files: the policy of an extension permits no embedded copies. */
configure({
  wasm: "/orgo.wasm",
  workerUrl: "/worker.js",
  workletUrl: "/worklet.js",
  screenWasm: "/screen.wasm",
  screenWorkerUrl: "/screen-worker.js",
});
