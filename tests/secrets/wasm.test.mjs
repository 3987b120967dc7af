import { WebSocket } from "undici";
import { testSecrets } from "./run.mjs";

// Node 22 and later provide this global.
globalThis.WebSocket ??= WebSocket;

testSecrets("wasm");
