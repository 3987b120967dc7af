// Tests that the transfer of a large file needs little memory in Node.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const MB = 1 << 20;
const SIZE = 512 * MB;
/**
 * The maximum growth of the memory during a transfer, far below the size of the file. The garbage collector runs late, but the addon
 * frees the memory of what it has sent.
 */
const limit = (kind, name) => (kind === "native" && name.startsWith("upload") ? 32 * MB : 192 * MB);

const folder = mkdtempSync(join(tmpdir(), "orgo-streams-"));
const path = join(folder, "large");
let server;

function* zeros() {
  const piece = Buffer.alloc(MB);
  for (let sent = 0; sent < SIZE; sent += piece.length) yield piece;
}

before(async () => {
  writeFileSync(path, "");
  truncateSync(path, SIZE);
  server = createServer((request, response) => {
    request.resume();
    if (request.url === "/content") {
      response.writeHead(200, { "content-length": SIZE });
      return Readable.from(zeros()).pipe(response);
    }
    const url = `http://${request.headers.host}/content`;
    request.on("end", () => response.end(JSON.stringify({ file: { id: "f" }, url })));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const TRANSFERS = [
  "upload of a path",
  "upload of a Blob",
  "upload of a byte stream",
  "upload of a Node stream",
  "upload of an async iterable",
  "download",
];

for (const kind of ["native", "wasm"]) {
  for (const name of TRANSFERS) {
    test(`the ${name} needs little memory: ${kind}`, { timeout: 600_000 }, async () => {
      const script = fileURLToPath(new URL("streams-client.mjs", import.meta.url));
      const args = ["--expose-gc", script, name, String(server.address().port), path, String(SIZE)];
      const env = { ...process.env, ORGO_BINDING: kind };
      const { stdout } = await promisify(execFile)(process.execPath, args, { env });
      const { kind: used, growth } = JSON.parse(stdout);
      assert.equal(used, kind);
      console.log(`  ${kind}, ${name}: ${(growth / MB).toFixed(0)} MiB`);
      assert.ok(growth < limit(kind, name), `${growth} bytes`);
    });
  }
}
