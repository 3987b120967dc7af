import { WebSocket } from "undici";
import { runScenarios } from "./run.mjs";

// Node 22 and later have it as a global.
globalThis.WebSocket ??= WebSocket;

runScenarios("wasm");
