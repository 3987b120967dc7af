// A call needs no memory for more than its limit, and fails with an error if JavaScript has no memory for the copy of a body.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { constants, createBrotliCompress } from "node:zlib";

process.env.ORGO_BINDING = "wasm";
const { Orgo } = await import("orgo-sdk");

const CONTENT = "content ".repeat(1000);
const requests = [];
/** The start of a compressed body, whose end never follows. Its first bytes are a megabyte. */
let compressed;
const server = createServer((request, response) => {
  requests.push(request.url);
  if (request.url.endsWith("/compressed")) {
    response.writeHead(200, { "content-encoding": "br", "content-length": compressed.length + 1 });
    response.write(compressed);
    return;
  }
  response.end(request.url.endsWith("/content") ? CONTENT : JSON.stringify({ url: "/content" }));
});
before(async () => {
  const encoder = createBrotliCompress();
  const pieces = [];
  encoder.on("data", (piece) => pieces.push(piece));
  await new Promise((resolve) => encoder.write(new Uint8Array(1 << 20), resolve));
  await new Promise((resolve) => encoder.flush(constants.BROTLI_OPERATION_FLUSH, resolve));
  encoder.destroy();
  compressed = Buffer.concat(pieces);
  assert.ok(compressed.length < 1000);
  await once(server.listen(0, "127.0.0.1"), "listening");
});
after(() => {
  server.close();
  server.closeAllConnections();
});

const client = () =>
  new Orgo({ apiKey: "sk_test", baseUrl: `http://127.0.0.1:${server.address().port}`, maxRetries: 0, timeout: 20_000 });

const { slice } = Uint8Array.prototype;

/** Makes a call for which the copy of `size` bytes or more fails. */
async function withoutMemory(size, call) {
  const orgo = client();
  await orgo.request({ method: "GET", path: "/ready" });
  requests.length = 0;
  let failed = 0;
  Uint8Array.prototype.slice = function (...args) {
    if (this.length < size) return slice.apply(this, args);
    failed += 1;
    throw new RangeError("Array buffer allocation failed");
  };
  try {
    return await call(orgo).then(
      () => assert.fail("the call succeeded"),
      (error) => ({ error, failed }),
    );
  } finally {
    Uint8Array.prototype.slice = slice;
  }
}

test("a request whose body cannot be copied is not sent", { timeout: 60_000 }, async () => {
  const { error, failed } = await withoutMemory(1000, (orgo) => orgo.computer("c").bash(`echo ${"x".repeat(1000)}`));
  assert.equal(failed, 1);
  assert.match(error.message, /Array buffer allocation failed/);
  assert.equal(error.delivered, "no");
  assert.deepEqual(requests, []);
});

test("a call whose content cannot be copied is rejected", { timeout: 60_000 }, async () => {
  const { error, failed } = await withoutMemory(CONTENT.length, (orgo) => orgo.files.bytes("f"));
  assert.equal(failed, 1);
  assert.match(error.message, /Array buffer allocation failed/);
  assert.ok(requests.length > 0);
});

test("the module works after these failures", { timeout: 60_000 }, async () => {
  assert.equal(new TextDecoder().decode(await client().files.bytes("f")), CONTENT);
});

test("the size of a short compressed response is limited while it is received", { timeout: 60_000 }, async () => {
  const orgo = client();
  for (const method of ["GET", "POST"]) {
    const call = orgo.request({ method, path: "/compressed" }, { maxResponseBytes: 1000 });
    await assert.rejects(call, { name: "ResponseTooLargeError", limit: 1000 });
  }
});
