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

/** A body that is sent as a stream. */
async function* pieces() {
  yield new Uint8Array(1000);
}

const upload = (orgo, options) => orgo.files.upload({ workspace_id: "w", name: "f", file: pieces() }, options);

/** The calls by name, with the fields of a response whose end never follows. */
const CALLS = {
  "a call": [(orgo, options) => orgo.computers.get("c", options), {}],
  "an upload": [upload, {}],
  "an upload with a small response": [upload, { "content-length": 100 }],
};

for (const [name, [start, headers]] of Object.entries(CALLS)) {
  test(`an abort closes the connection after garbage collection: ${name}`, (context) => closes(context, start, headers));
}

async function closes(context, start, headers) {
  const server = createServer(async (request, response) => {
    await request.toArray();
    response.writeHead(200, headers).write("{");
  });
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connected = once(server, "connection");

  const orgo = new Orgo({ apiKey: "sk_fault", baseUrl: `http://127.0.0.1:${server.address().port}/api`, maxRetries: 0 });
  const controller = new AbortController();
  const call = start(orgo, { signal: controller.signal });
  const [socket] = await connected;
  await until("the response to start", () => socket.bytesWritten > 0);
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  controller.abort("enough");
  await assert.rejects(call, { name: "AbortError", reason: "enough", delivered: "maybe" });
  await until("the server to detect the close", () => socket.destroyed);
}
