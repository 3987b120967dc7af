// A process that does what it is told, through one binding.
import * as sdk from "orgo-sdk";
import { WebSocket } from "undici";
import { make } from "./call.mjs";
import { provoke } from "./error-cases.mjs";

// Node 22 and later have it as a global.
globalThis.WebSocket ??= WebSocket;

const work = { make, provoke };
const { kind } = await sdk.Orgo.bindingInfo();
process.send({ kind });
process.on("message", async ({ id, name, task }) => {
  const done = await work[name](sdk, task, () => process.send({ id, retries: true }));
  process.send({ id, done });
});
