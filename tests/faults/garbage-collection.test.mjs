// Tests that the garbage collector of Node does not break the cancellation of a call.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { until } from "../support/wait.mjs";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
process.env.ORGO_BINDING = "wasm";
const { Orgo } = await import("orgo-sdk");

test("an abort closes the connection after garbage collection", async (context) => {
  const server = createServer((_, response) => response.write("{"));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connected = once(server, "connection");

  const orgo = new Orgo({ apiKey: "sk_fault", baseUrl: `http://127.0.0.1:${server.address().port}/api`, maxRetries: 0 });
  const controller = new AbortController();
  const call = orgo.computers.get("c", { signal: controller.signal });
  const [socket] = await connected;
  await until("the response to start", () => socket.bytesWritten > 0);
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  controller.abort("enough");
  await assert.rejects(call, { name: "AbortError", reason: "enough", delivered: "maybe" });
  await until("the server to detect the close", () => socket.destroyed);
});
