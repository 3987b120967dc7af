import { WebSocket } from "undici";
import { testLimits } from "./limits-run.mjs";

// Node 22 and later provide this global.
globalThis.WebSocket ??= WebSocket;

testLimits("wasm");
