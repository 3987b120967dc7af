import { WebSocket } from "undici";
import { runScenarios } from "./run.mjs";

// Node 22 and later provide this global.
globalThis.WebSocket ??= WebSocket;

runScenarios("wasm");
