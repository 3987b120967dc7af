import { WebSocket } from "undici";
import { testLimits } from "./limits-run.mjs";

// Node 22 and later have it as a global.
globalThis.WebSocket ??= WebSocket;

testLimits("wasm");
