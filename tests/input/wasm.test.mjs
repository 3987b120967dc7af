import { WebSocket } from "undici";
import { inNode, testInput } from "./run.mjs";

// Node 22 and later provide this global.
globalThis.WebSocket ??= WebSocket;

testInput("the wasm binding in Node", inNode("wasm"));
