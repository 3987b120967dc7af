// Runs the tests of streams (streams.mjs) in this process with one binding.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import fs, {
  appendFileSync,
  createReadStream,
  existsSync,
  mkdtempSync,
  openAsBlob,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../support/receiver.mjs";
import { streams } from "./streams.mjs";
import { startStreamsServer } from "./streams-server.mjs";

/** A file of the kernel, on Linux. */
const KERNEL = "/proc/version";

/** Creates and changes files in a folder. */
function filesIn(folder) {
  return {
    fs,
    folder,
    missing: join(folder, "missing"),
    kernel: existsSync(KERNEL) && { path: KERNEL, content: readFileSync(KERNEL) },
    async create(name, bytes) {
      const path = join(folder, name);
      await writeFile(path, bytes);
      return path;
    },
    createPipe(name) {
      const path = join(folder, name);
      execFileSync("mkfifo", [path]);
      return path;
    },
    truncate: (path) => truncateSync(path, 1000),
    append: (path) => appendFileSync(path, "more"),
    touch: (path) => utimesSync(path, 0, 0),
    url: pathToFileURL,
    openAsBlob,
    createReadStream,
    readableFrom: (source) => Readable.from(source, { objectMode: false }),
    fromWeb: (stream) => Readable.fromWeb(stream),
    /** Returns the number of files of the folder that this process has open. */
    openFiles() {
      const open = readdirSync("/proc/self/fd").map((descriptor) => {
        try {
          return readlinkSync(`/proc/self/fd/${descriptor}`);
        } catch {
          // It was closed meanwhile.
          return "";
        }
      });
      return open.filter((path) => path.startsWith(folder)).length;
    },
  };
}

/** @param {"native" | "wasm"} kind */
export function testStreams(kind) {
  describe(`streams through the ${kind} binding`, () => {
    const folder = mkdtempSync(join(tmpdir(), "orgo-streams-"));
    let server, env;
    before(async () => {
      process.env.ORGO_BINDING = kind;
      const sdk = await import("orgo-sdk");
      assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
      server = await startStreamsServer();
      env = { sdk, server: server.url, deadUrl: `http://127.0.0.1:${await freePort()}`, kind, files: filesIn(folder) };
    });
    after(async () => {
      await server?.close();
      rmSync(folder, { recursive: true });
    });
    test("the first upload of a process gets what a listener of the stream gets", async () => {
      const size = 3_000_000;
      const path = join(folder, "first");
      writeFileSync(path, new Uint8Array(size));
      const script = `
        import { createReadStream } from "node:fs";
        import { Orgo } from ${JSON.stringify(import.meta.resolve("orgo-sdk"))};
        const orgo = new Orgo({ baseUrl: "${env.server}/store/first-${kind}/api", apiKey: "k" });
        let heard = 0;
        const file = createReadStream(${JSON.stringify(path)}).on("data", (piece) => (heard += piece.length));
        const { size_bytes } = await orgo.files.upload({ workspace_id: "w", file });
        console.log(size_bytes, heard);
      `;
      const args = ["--no-warnings", "--input-type=module", "--eval", script];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      assert.equal(stdout, `${size} ${size}\n`);
    });
    for (const [name, run] of Object.entries(streams)) test(name, { timeout: 120_000 }, () => run(env));
  });
}
