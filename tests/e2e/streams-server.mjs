// A service for files that fails in different modes. A path begins with the mode and the run: `/store/7/api/files/upload`.
// `/counts/7` returns what happened in run 7.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "*",
  "access-control-allow-methods": "GET, POST",
  "access-control-expose-headers": "*",
  "access-control-max-age": "7200",
};

/** The content of a downloaded file: each byte depends on its position. */
export function contentOf(size, start = 0) {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) bytes[index] = ((start + index) * 31) % 251;
  return bytes;
}

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

const json = (response, status, body, headers = {}) => {
  response.writeHead(status, { ...CORS, "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
};

async function readBody(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Returns the bytes of the file in a form. */
function fileOf(request, body) {
  const boundary = /boundary=(.*)/.exec(request.headers["content-type"])[1];
  const start = body.indexOf("\r\n\r\n", body.indexOf('name="file"')) + 4;
  const end = body.indexOf(`\r\n--${boundary}--\r\n`);
  if (end < start) throw new Error("the form has no end");
  return body.subarray(start, end);
}

/** Calls a function after some bytes of the request. */
function readSome(request, bytes, then) {
  let received = 0;
  request.on("data", (piece) => {
    received += piece.length;
    if (received > bytes) then();
  });
}

/** The handler of each mode for uploads. */
const uploads = {
  async store(request, response, counts) {
    const body = await readBody(request);
    const file = fileOf(request, body);
    const { "content-length": length, "transfer-encoding": coding } = request.headers;
    counts.length = length === undefined ? null : Number(length) - body.length;
    counts.coding = coding ?? null;
    json(response, 200, { file: { id: sha256(file), size_bytes: file.length } });
  },
  /** Refuses the first request after it was read, and stores the next one. */
  async busy(request, response, counts) {
    if (counts.requests > 1) return uploads.store(request, response, counts);
    await readBody(request);
    json(response, 429, { error: "slow down" }, { "retry-after": "0" });
  },
  /** Refuses the upload before it is read, and closes the connection. */
  early(request, response) {
    request.pause();
    json(response, 413, { error: "too large", code: "file_too_large" }, { connection: "close" });
  },
  /** Refuses the upload after a part of it, and reads everything that the client still sends. */
  middle(request, response) {
    readSome(request, 1 << 20, () => {
      if (!response.headersSent) json(response, 413, { error: "too large", code: "file_too_large" });
    });
  },
  /** Refuses the upload after a part of it, and closes the connection although the client still sends. */
  abrupt(request, response, counts) {
    const { socket } = request;
    readSome(request, (counts.requests * 77_777) % (2 << 20), () => {
      if (response.headersSent) return;
      json(response, 413, { error: "too large", code: "file_too_large" }, { connection: "close" });
      response.once("finish", () => socket.destroy());
    });
  },
  /** Responds with a status of no class. */
  async unusual(request, response) {
    await readBody(request);
    json(response, 700, { error: "unusual" });
  },
  reset: (request) => readSome(request, 1 << 20, () => request.socket.resetAndDestroy()),
  close: (request) => readSome(request, 1 << 20, () => request.socket.destroy()),
  /** Reads a part of the upload and then nothing. */
  stall(request, _response, counts) {
    readSome(request, 1 << 20, () => {
      request.pause();
      counts.stalled = true;
    });
  },
  /** Reads a part of the upload, and the rest after `/resume` was requested. */
  gate(request, response, counts) {
    const pieces = [];
    request.on("data", (piece) => {
      pieces.push(piece);
      if (!counts.stalled) request.pause();
      counts.stalled = true;
    });
    counts.resume = () => request.resume();
    request.on("end", () => {
      const body = Buffer.concat(pieces);
      const file = fileOf(request, body);
      counts.length = body.length;
      json(response, 200, { file: { id: sha256(file), size_bytes: file.length } });
    });
  },
  /** Reads everything and responds to nothing. */
  hang: (request) => void request.resume(),
};

const SIZE = 3 << 20;

/** The handler of each mode for the content of a file. */
const contents = {
  full: (response) => response.writeHead(200, { ...CORS, "content-length": SIZE }).end(contentOf(SIZE)),
  chunked(response) {
    response.writeHead(200, CORS).write(contentOf(1000));
    response.end(contentOf(SIZE - 1000, 1000));
  },
  gzip(response) {
    const body = gzipSync(contentOf(SIZE));
    response.writeHead(200, { ...CORS, "content-encoding": "gzip", "content-length": body.length }).end(body);
  },
  empty: (response) => response.writeHead(200, { ...CORS, "content-length": 0 }).end(),
  missing: (response) => json(response, 404, { error: "no such file" }),
  /** Ends before the announced length. */
  short(response) {
    response.writeHead(200, { ...CORS, "content-length": SIZE });
    response.write(contentOf(SIZE / 2), () => response.destroy());
  },
  /** Ends without the last chunk. */
  cut(response) {
    response.writeHead(200, CORS).write(contentOf(SIZE / 2), () => response.destroy());
  },
  /** Sends a part, then nothing. */
  stall: (response) => response.writeHead(200, { ...CORS, "content-length": SIZE }).write(contentOf(1000)),
  endless(response, counts) {
    response.writeHead(200, CORS);
    const piece = contentOf(1 << 16);
    const write = () => {
      counts.written += piece.length;
      while (!response.destroyed && response.write(piece)) counts.written += piece.length;
    };
    response.on("drain", write);
    write();
  },
};

/** @returns {Promise<{ url: string, close(): Promise<void> }>} */
export async function startStreamsServer() {
  const runs = new Map();
  const countsOf = (run) => {
    if (!runs.has(run)) runs.set(run, { requests: 0, received: null, written: 0, closed: 0 });
    return runs.get(run);
  };
  const server = createServer(async (request, response) => {
    const [, mode, run, ...path] = request.url.split("?")[0].split("/");
    if (request.method === "OPTIONS") return response.writeHead(204, CORS).end();
    const counts = countsOf(run);
    if (mode === "counts") return json(response, 200, counts);
    if (mode === "resume") {
      counts.resume();
      return json(response, 200, {});
    }
    response.once("close", () => (counts.closed += 1));
    request.on("error", () => {});
    switch (path.join("/")) {
      case "api/files/upload": {
        counts.requests += 1;
        const before = request.socket.bytesRead;
        request.socket.once("close", () => (counts.received = request.socket.bytesRead - before));
        // The client may disconnect at any time.
        await uploads[mode](request, response, counts)?.catch(() => {});
        break;
      }
      case "api/files/download":
        json(response, 200, { url: `http://${request.headers.host}/${mode}/${run}/content` });
        break;
      default:
        counts.requests += 1;
        contents[mode](response, counts);
    }
  });
  // The server must not close an idle connection at the moment when the client reuses it.
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
