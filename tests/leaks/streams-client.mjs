// The process whose memory is measured while it transfers a large file. It prints the growth of its peak memory in bytes.
import { createReadStream, openAsBlob, readFileSync, writeFileSync } from "node:fs";
import * as sdk from "orgo-sdk";

const [name, port, path, size] = process.argv.slice(2).map((text) => (/^\d+$/.test(text) ? Number(text) : text));
const orgo = new sdk.Orgo({ apiKey: "k", baseUrl: `http://127.0.0.1:${port}/api`, timeout: 600_000 });
const upload = (file) => orgo.files.upload({ workspace_id: "w", name: "f", file });

async function* pieces() {
  const piece = new Uint8Array(1 << 20);
  for (let sent = 0; sent < size; sent += piece.length) {
    yield piece;
    // A source of a program has something to wait for.
    await new Promise(setImmediate);
  }
}

const transfers = {
  "upload of a path": () => upload({ path }),
  "upload of a Blob": async () => upload(await openAsBlob(path)),
  "upload of a byte stream": async () => upload((await openAsBlob(path)).stream()),
  "upload of a Node stream": () => upload(createReadStream(path)),
  "upload of an async iterable": () => upload(pieces()),
  async download() {
    let received = 0;
    for await (const piece of await orgo.files.stream("f")) received += piece.length;
    if (received !== size) throw new Error(`${received} bytes were received`);
  },
};

const memory = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;

await upload(new Uint8Array(1));
globalThis.gc();
const idle = memory("VmRSS");
// Resets the peak, `VmHWM`.
writeFileSync("/proc/self/clear_refs", "5");
await transfers[name]();
console.log(JSON.stringify({ kind: (await sdk.Orgo.bindingInfo()).kind, growth: memory("VmHWM") - idle }));
