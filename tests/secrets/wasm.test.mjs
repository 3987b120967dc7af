import { WebSocket } from "undici";
import { testSecrets } from "./run.mjs";

// Node 22 and later have it as a global.
globalThis.WebSocket ??= WebSocket;

testSecrets("wasm");
