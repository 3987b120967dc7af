// Tests of uploads from each kind of source, and of streamed downloads, with servers and sources that fail. The tests run in
// Node with each binding, and in a page. Each test is a function of an environment with `sdk` (the package), `server` (the URL
// of streams-server.mjs), `deadUrl` (a URL without a server), `kind` (`native`, `wasm` or `page`), and in Node `files`, which
// creates files on the disk.
import { equal as identical, ok, rejects } from "../scenarios/check.mjs";
import { until } from "../support/wait.mjs";

/** The size of the files, which is larger than what is read into memory before it is sent. */
const SIZE = (5 << 20) + 3;
/** The size of a file that does not fit into the buffers between client and server. */
const LARGE = 64 << 20;
const LONG = 60_000;

let runs = 0;

function createRun({ sdk, server, deadUrl }, mode, options = {}) {
  runs += 1;
  const run = `${Date.now()}-${runs}`;
  const baseUrl = mode === "dead" ? `${deadUrl}/api` : `${server}/${mode}/${run}/api`;
  const orgo = new sdk.Orgo({ apiKey: "sk_secret", timeout: LONG, dangerouslyAllowBrowser: true, ...options, baseUrl });
  return {
    orgo,
    upload: (file, options, params) => orgo.files.upload({ workspace_id: "w", name: "f", file, ...params }, options),
    counts: async () => (await fetch(`${server}/counts/${run}`)).json(),
    resume: () => fetch(`${server}/resume/${run}`),
  };
}

/** Compares plain values. */
const equal = (actual, expected, what) => identical(JSON.stringify(actual), JSON.stringify(expected), what);

const digits = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Returns the SHA-256 of bytes. Only a secure context has `crypto.subtle`; the page of the tests is one. */
const sha256 = async (bytes) => digits(await crypto.subtle.digest("SHA-256", bytes));

function contentOf(size, start = 0) {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) bytes[index] = ((start + index) * 31) % 251;
  return bytes;
}

const BYTES = contentOf(SIZE);

/** Reads a stream to its end. A `Response` would replace the error of the stream in Chromium. */
async function readAll(stream) {
  const reader = stream.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read());
}

/** Divides bytes into pieces of different sizes, among them empty and large ones. */
function* pieces(bytes = BYTES) {
  const sizes = [0, 1, 70_000, 2 << 20, 0, 3];
  for (let start = 0, index = 0; start < bytes.length; index += 1) {
    const size = index < sizes.length ? sizes[index] : 300_000;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

async function* iterable(source = pieces()) {
  for (const piece of source) {
    await new Promise((resolve) => setTimeout(resolve));
    yield piece;
  }
}

/** A stream that records how it ended. */
function webStream(source = iterable()) {
  const record = { canceled: false };
  const stream = new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await source.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => {
        record.canceled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, record };
}

/** An endless async iterable that records how it ended. */
function endless(size = 65_536) {
  const record = { read: 0, ended: false };
  async function* read() {
    try {
      for (;;) {
        record.read += size;
        yield new Uint8Array(size);
        await new Promise((resolve) => setTimeout(resolve));
      }
    } finally {
      record.ended = true;
    }
  }
  return { source: read(), record };
}

/** The sources of each environment. `length`: whether the size is known. */
async function sources({ kind, files }) {
  const all = {
    "a Uint8Array": { file: BYTES.slice(), length: true },
    "an ArrayBuffer": { file: BYTES.slice().buffer, length: true },
    "a Blob": { file: new Blob([BYTES]), length: true },
    "a File": { file: new File([BYTES.subarray(0, 9), BYTES.subarray(9)], "f"), length: true },
    "a ReadableStream": { file: webStream().stream, length: false },
    "a ReadableStream of known size": { file: webStream().stream, length: true, params: { size: SIZE } },
    "an async iterable": { file: iterable(), length: false },
    "the body of a Response": { file: new Response(BYTES).body, length: false },
  };
  if (kind === "page") {
    // A page reads a stream to a Blob first.
    for (const source of Object.values(all)) source.length = true;
    return all;
  }
  const path = await files.create("content.bin", BYTES);
  return {
    ...all,
    "a path": { file: { path }, length: true },
    "a file URL": { file: { path: files.url(path) }, length: true },
    "a Blob of a file": { file: await files.openAsBlob(path), length: true },
    "a Node stream": { file: files.createReadStream(path), length: false },
    "a Node stream of buffers": { file: files.readableFrom(pieces()), length: false },
  };
}

/** Makes the server and the source of an upload fail, and checks that the source is released. */
async function failedStream(env, mode, options, callOptions) {
  const { upload, counts } = createRun(env, mode, { maxRetries: 2, ...options });
  const { source, record } = endless();
  const error = await rejects(upload(source, callOptions), env.sdk.OrgoError, `an upload to the mode ${mode}`);
  await until("the source to be released", () => record.ended);
  equal((await counts()).requests, 1, "a stream is sent once");
  return { error, record, counts };
}

export const streams = {
  async "each source is uploaded completely"(env) {
    const expected = await sha256(BYTES);
    for (const [name, { file, length, params }] of Object.entries(await sources(env))) {
      const { upload, counts } = createRun(env, "store");
      const progress = [];
      const stored = await upload(file, { onProgress: (event) => progress.push(event) }, params);
      equal(stored.size_bytes, SIZE, `the size of ${name}`);
      equal(stored.id, expected, `the content of ${name}`);
      const { length: difference, coding } = await counts();
      if (length) equal(difference, 0, `the content-length of ${name}`);
      else equal(coding, "chunked", `the transfer coding of ${name}`);
      const last = progress.at(-1);
      equal([last.loaded, last.total], [SIZE, SIZE], `the progress of ${name}`);
      ok(
        progress.every(({ loaded, total }, index) => loaded <= total && loaded >= (progress[index - 1]?.loaded ?? 0)),
        `the progress of ${name}`,
      );
    }
  },

  async "small and empty sources are uploaded"(env) {
    const small = [new Uint8Array(), new Blob([]), webStream(iterable([])).stream, iterable([])];
    if (env.files) small.push({ path: await env.files.create("empty", new Uint8Array()) });
    for (const file of small) equal((await createRun(env, "store").upload(file)).size_bytes, 0, "the size of an empty file");
    const one = [Uint8Array.of(7), new Blob([Uint8Array.of(7)]), iterable([Uint8Array.of(7)])];
    if (env.files) one.push({ path: await env.files.create("one", Uint8Array.of(7)) });
    for (const file of one) equal((await createRun(env, "store").upload(file)).id, await sha256(Uint8Array.of(7)), "one byte");
    // The size of a file of the kernel is 0.
    if (!env.files?.kernel) return;
    const { path, content } = env.files.kernel;
    equal((await createRun(env, "store").upload({ path })).id, await sha256(content), path);
    equal((await createRun(env, "busy").upload({ path })).id, await sha256(content), "a retry");
  },

  async "the name is that of the file or its path"(env) {
    if (!env.files) return;
    const { orgo } = createRun(env, "store");
    const path = await env.files.create("räport 1.txt", BYTES);
    for (const file of [{ path }, { path: env.files.url(path) }, env.files.createReadStream(path)]) {
      equal((await orgo.files.upload({ workspace_id: "w", file })).size_bytes, SIZE, "an upload without a name");
    }
    const { stream, record } = webStream();
    const error = await rejects(orgo.files.upload({ workspace_id: "w", file: stream }), env.sdk.InvalidParameterError, "no name");
    equal([error.field, record.canceled], ["name", true], "the field");
  },

  async "a caller may change the bytes after the call"(env) {
    const file = BYTES.slice();
    const uploading = createRun(env, "store").upload(file);
    file.fill(0);
    equal((await uploading).id, await sha256(BYTES), "the content");
  },

  async "pieces that a program still has keep their content"(env) {
    if (!env.files) return;
    const path = await env.files.create("kept", BYTES);
    const kept = [];
    const keep = (piece) => {
      kept.push({ piece, content: piece.slice() });
      return piece;
    };
    const copies = () => [...pieces()].map((piece) => keep(piece.slice()));
    const heard = env.files.createReadStream(path).pause().on("data", keep);
    const late = env.files.createReadStream(path);
    const started = env.files.createReadStream(path, { highWaterMark: SIZE + 1 });
    await new Promise((resolve) => started.once("readable", resolve));
    // Some programs look at the start of a file to find its type.
    started.unshift(keep(started.read()));
    const header = keep(BYTES.slice(0, 16));
    // The file is opened after the start of the upload.
    const extended = () => {
      const file = env.files.createReadStream(path, { start: 16 });
      return file.once("open", () => file.unshift(header));
    };
    const replaced = env.files.createReadStream(path);
    replaced.push = (piece) => Object.getPrototypeOf(replaced).push.call(replaced, piece && keep(piece));
    const fs = { ...env.files.fs };
    fs.read = (handle, buffer, offset, length, position, callback) =>
      env.files.fs.read(handle, buffer, offset, length, position, (error, count) => {
        if (count === length) keep(buffer);
        callback(error, count, buffer);
      });
    const files = [
      iterable(copies()),
      webStream(iterable(copies())).stream,
      env.files.readableFrom(copies()),
      heard,
      late,
      started,
      extended,
      replaced,
      env.files.createReadStream(path, { fs }),
    ];
    for (const source of files) {
      const file = source === extended ? extended() : source;
      const onProgress = () => file === late && late.listenerCount("data") === 0 && late.on("data", keep);
      equal((await createRun(env, "store").upload(file, { onProgress })).id, await sha256(BYTES), "the content");
    }
    ok(kept.length > 100, "pieces of all files");
    ok(
      kept.every(({ piece, content }) => piece.length === content.length && piece.every((byte, at) => byte === content[at])),
      "the content of the pieces",
    );
  },

  async "a listener of a Node stream gets all pieces, and so does the upload"(env) {
    if (!env.files) return;
    const path = await env.files.create("heard", BYTES);
    for (const listensBefore of [true, false]) {
      let heard = 0;
      const listen = (piece) => {
        heard += piece.length;
      };
      const file = env.files.createReadStream(path);
      if (listensBefore) file.on("data", listen);
      const uploading = createRun(env, "store").upload(file);
      if (!listensBefore) file.on("data", listen);
      equal((await uploading).id, await sha256(BYTES), "the content");
      equal(heard, SIZE, "what the listener got");
    }
  },

  async "the body of a response of undici is a stream"(env) {
    if (!env.files) return;
    const body = Object.assign(env.files.readableFrom(pieces()), { arrayBuffer() {}, blob() {}, bodyUsed: false });
    equal((await createRun(env, "store").upload(body)).id, await sha256(BYTES), "the content");
  },

  async "a source that can be read again is retried, a stream is not"(env) {
    const repeatable = [new Blob([BYTES]), BYTES.slice()];
    if (env.files) repeatable.push({ path: await env.files.create("retried", BYTES) });
    if (env.kind === "page") repeatable.push(webStream().stream);
    for (const file of repeatable) {
      const { upload, counts } = createRun(env, "busy");
      equal((await upload(file)).id, await sha256(BYTES), "the content of the second request");
      equal((await counts()).requests, 2, "the number of requests");
    }
    if (env.kind === "page") return;
    const { stream, record } = webStream();
    const { upload, counts } = createRun(env, "busy");
    const error = await rejects(upload(stream), env.sdk.RateLimitError, "a stream that was read");
    equal([error.delivered, (await counts()).requests], ["no", 1], "the delivery of a stream");
    equal(record.canceled, false, "a stream that was read completely is not canceled");
  },

  async "a source that fails is an error with its cause, and nothing is stored"(env) {
    const cause = new Error("the disk failed");
    const failing = async function* () {
      yield BYTES.subarray(0, 1 << 20);
      throw cause;
    };
    const cases = [failing(), webStream(failing()).stream];
    if (env.files) cases.push(env.files.readableFrom(failing()));
    for (const file of cases) {
      const { upload } = createRun(env, "store", { maxRetries: 2 });
      const error = await rejects(upload(file), env.sdk.InvalidParameterError, "a source that fails");
      equal([error.field, error.delivered], ["file", "no"], "the field");
      equal(error.message, "files.upload: `file` cannot be read: the disk failed", "the message");
      ok(error.cause === cause, "the cause");
    }
  },

  async "a source of another size than announced is an error"(env) {
    for (const [size, pattern] of [
      [SIZE - 1, /more bytes than its size, 5242882/],
      [SIZE + 1, /ended after 5242883 of 5242884 bytes/],
    ]) {
      const { stream } = webStream();
      const { upload, counts } = createRun(env, "store");
      const error = await rejects(upload(stream, {}, { size }), env.sdk.InvalidParameterError, `the size ${size}`);
      equal([error.field, error.delivered], ["file", "no"], "the field");
      ok(pattern.test(error.message), error.message);
      equal((await counts()).length, undefined, "the server has not read a complete form");
    }
  },

  async "wrong sources are refused before anything is sent"(env) {
    const { server } = env;
    const { orgo, counts } = createRun(env, "store");
    const locked = webStream().stream;
    locked.getReader();
    const upload = (file, params = {}) => orgo.files.upload({ workspace_id: "w", name: "f", file, ...params });
    const wrong = [
      ["file", locked],
      ["file", {}],
      ["file", "text"],
      ["file", [1, 2]],
      ["file", new Response("text")],
      ["file", new Request(server, { method: "POST", body: "text" })],
      ["file", { path: env.files ? env.files.missing : "/x" }],
      ["size", BYTES, { size: 3 }],
      ["size", iterable(), { size: -1 }],
      ["size", iterable(), { size: 1.5 }],
    ];
    if (env.files) wrong.push(["file", { path: env.files.folder }], ["file", { path: env.files.createPipe("pipe") }]);
    for (const [field, file, params] of wrong) {
      const error = await rejects(upload(file, params), env.sdk.InvalidParameterError, `a wrong ${field}`);
      equal([error.field, error.delivered], [field, "no"], error.message);
    }
    equal((await counts()).requests, 0, "the number of requests");
    const text = await rejects(upload(iterable(["text"])), env.sdk.InvalidParameterError, "a stream of text");
    equal(text.message, "files.upload: `file` cannot be read: it must provide pieces of the type Uint8Array, not string", "text");
  },

  async "a stream that was read to its end cannot be uploaded again"(env) {
    const used = [() => iterable()];
    if (env.files) used.push(() => env.files.readableFrom(iterable()));
    for (const create of used) {
      const stream = create();
      await createRun(env, "store").upload(stream);
      const { upload, counts } = createRun(env, "store");
      const error = await rejects(upload(stream), env.sdk.InvalidParameterError, "a stream that was read");
      equal([error.field, (await counts()).requests], ["file", 0], error.message);
    }
    const repeatable = { [Symbol.asyncIterator]: () => iterable() };
    for (let times = 0; times < 2; times += 1) {
      equal((await createRun(env, "store").upload(repeatable)).id, await sha256(BYTES), "an iterable with new iterators");
    }
  },

  async "a stream that an upload has not read to its end cannot be uploaded again"(env) {
    // The content that the second upload gets would depend on the speed of the first one.
    const used = [() => iterable()];
    if (env.files) used.push(() => env.files.readableFrom(iterable()));
    for (const create of used) {
      const stream = create();
      const first = createRun(env, "store");
      const uploading = first.upload(stream);
      const { upload, counts } = createRun(env, "store");
      const error = await rejects(upload(stream), env.sdk.InvalidParameterError, "a stream that another upload reads");
      equal([error.field, error.delivered, (await counts()).requests], ["file", "no", 0], error.message);
      equal((await uploading).id, await sha256(BYTES), "the content of the first upload");
    }
  },

  async "a stream of a wrong size is released"(env) {
    const { stream, record } = webStream();
    const { upload } = createRun(env, "store");
    const error = await rejects(upload(stream, {}, { size: -1 }), env.sdk.InvalidParameterError, "a wrong size");
    equal([error.field, record.canceled], ["size", true], error.message);
  },

  async "a stream that throws at its start is an error, and one that throws at its end is not"(env) {
    const cause = new Error("no iterator");
    const failing = {
      [Symbol.asyncIterator]() {
        throw cause;
      },
    };
    const error = await rejects(createRun(env, "store").upload(failing), env.sdk.InvalidParameterError, "no iterator");
    equal([error.field, error.delivered], ["file", "no"], error.message);
    ok(error.cause === cause, "the cause");
    const iterator = iterable();
    iterator.return = () => {
      throw new Error("it cannot end");
    };
    equal((await createRun(env, "store").upload(iterator)).id, await sha256(BYTES), "the content");
  },

  async "a file that changes while it is read is an error"(env) {
    if (!env.files) return;
    for (const change of ["truncate", "append", "touch"]) {
      const path = await env.files.create("changing", contentOf(LARGE));
      const { upload, counts, resume } = createRun(env, "gate");
      const failed = rejects(upload({ path }), env.sdk.InvalidParameterError, `a file that is changed by ${change}`);
      await until("the server to wait", async () => (await counts()).stalled);
      env.files[change](path);
      await resume();
      const error = await failed;
      equal((await counts()).length, undefined, "the server has not read a complete form");
      equal([error.field, error.delivered], ["file", "no"], error.message);
    }
  },

  async "a Blob whose file has changed is an error"(env) {
    if (!env.files) return;
    const path = await env.files.create("blob", BYTES);
    const file = await env.files.openAsBlob(path);
    env.files.append(path);
    const error = await rejects(createRun(env, "store").upload(file), env.sdk.InvalidParameterError, "a changed file");
    equal([error.field, error.delivered, error.cause.name], ["file", "no", "NotReadableError"], error.message);
    ok(error.message.includes("create the Blob again"), error.message);
  },

  async "an error of a Node stream before it is read is the error of the call"(env) {
    if (!env.files) return;
    const file = env.files.createReadStream(env.files.missing);
    const error = await rejects(createRun(env, "store").upload(file), env.sdk.InvalidParameterError, "a missing file");
    equal([error.field, error.delivered, error.cause.code], ["file", "no", "ENOENT"], error.message);
  },

  async "a connection that breaks in the middle of an upload is an error"(env) {
    if (env.kind === "page") return;
    for (const mode of ["reset", "close"]) {
      const { error } = await failedStream(env, mode);
      equal([error.kind, error.delivered], ["transport", "maybe"], `${mode}: ${error.message}`);
    }
  },

  async "a stream that was not read is sent again, and released after the last attempt"(env) {
    const { upload } = createRun(env, "dead", { maxRetries: 1 });
    const { stream, record } = webStream();
    const error = await rejects(upload(stream), env.sdk.ConnectionError, "a refused connection");
    if (env.kind === "page") return;
    equal([error.delivered, record.canceled], ["no", true], error.message);
  },

  async "an early refusal is the error of the call, and the rest is not sent"(env) {
    for (const mode of ["early", "middle"]) {
      const { upload, counts } = createRun(env, mode);
      const error = await rejects(upload(new Blob([new Uint8Array(LARGE)])), env.sdk.OrgoError, mode);
      // A server that closes the connection without reading the request may destroy its response.
      if (mode === "middle" || error.kind === "server") {
        equal([error.status, error.code, error.delivered], [413, "file_too_large", "no"], `${mode}: ${error.message}`);
      }
      if (env.kind === "page") continue;
      await until("the connection to close", async () => (await counts()).received !== null);
      ok((await counts()).received < LARGE / 2, "the rest of the file was not sent");
    }
    if (env.kind === "page") return;
    const { error } = await failedStream(env, "middle");
    equal([error.status, error.delivered], [413, "no"], error.message);
  },

  async "an early refusal is the error of the call, although the server closes the connection"(env) {
    // The network of other hosts decides what remains of the response.
    if (env.kind !== "native") return;
    const run = createRun(env, "abrupt");
    for (let times = 0; times < 60; times += 1) {
      const error = await rejects(run.upload(new Blob([new Uint8Array(LARGE / 4)])), env.sdk.OrgoError, "a refused upload");
      equal([error.status, error.code, error.delivered], [413, "file_too_large", "no"], error.message);
    }
  },

  async "the progress of a failed upload counts the bytes of the file"(env) {
    if (env.kind === "page") return;
    let read = 0;
    const source = async function* () {
      for (; read < LARGE / 2; read += 1 << 16) yield new Uint8Array(1 << 16);
      throw new Error("the disk failed");
    };
    for (const size of [undefined, LARGE]) {
      read = 0;
      const progress = [];
      const { upload } = createRun(env, "store");
      await rejects(
        upload(source(), { onProgress: (at) => progress.push(at) }, { size }),
        env.sdk.InvalidParameterError,
        "a failure",
      );
      for (const { loaded } of progress) ok(loaded <= LARGE / 2, `${loaded} bytes of ${LARGE / 2} with the size ${size}`);
      if (env.kind === "wasm") equal(progress.at(-1)?.loaded, LARGE / 2, "the last progress");
    }
  },

  async "a response with a status of no class is an error of the server"(env) {
    for (const options of [{}, { onProgress: () => {} }]) {
      const { upload } = createRun(env, "unusual", { maxRetries: 0 });
      const error = await rejects(upload(BYTES, options), env.sdk.OrgoError, "the status 700");
      equal([error.kind, error.status], ["server", 700], error.message);
    }
  },

  async "a server that does not read holds the source back, and the time limit applies"(env) {
    if (env.kind === "page") return;
    const { error, record } = await failedStream(env, "stall", { maxRetries: 2 }, { timeout: 2000 });
    equal([error.kind, error.delivered], ["timeout", "maybe"], error.message);
    ok(record.read < LARGE, `${record.read} bytes were read`);
  },

  async "a source that waits forever is released at the time limit"(env) {
    const waiting = () => webStream({ next: () => new Promise(() => {}) });
    const { stream, record } = waiting();
    const { upload } = createRun(env, "store");
    const error = await rejects(upload(stream, { timeout: 500 }), env.sdk.TimeoutError, "a source that waits");
    equal(error.limit, 500, "the limit");
    await until("the stream to be canceled", () => record.canceled);
    const controller = new AbortController();
    const second = waiting();
    const aborted = rejects(
      createRun(env, "store").upload(second.stream, { signal: controller.signal }),
      env.sdk.AbortError,
      "an abort",
    );
    setTimeout(() => controller.abort(), 100);
    await aborted;
    await until("the stream to be canceled", () => second.record.canceled);
  },

  async "an abort ends an upload and releases its source"(env) {
    if (env.kind === "page") return;
    const { upload, counts } = createRun(env, "hang");
    const { source, record } = endless();
    const controller = new AbortController();
    const uploading = rejects(upload(source, { signal: controller.signal }), env.sdk.AbortError, "an aborted upload");
    await until("the source to be read", () => record.read > 1 << 20);
    controller.abort(new Error("enough"));
    const error = await uploading;
    equal([error.delivered, error.reason.message], ["maybe", "enough"], error.message);
    await until("the source to be released", () => record.ended);
    await until("the connection to close", async () => (await counts()).closed === 1);
  },

  async "a download streams the content with its size"(env) {
    const expected = await sha256(contentOf(3 << 20));
    for (const [mode, size] of [
      ["full", 3 << 20],
      ["chunked", undefined],
      ["gzip", undefined],
    ]) {
      const stream = await createRun(env, mode).orgo.files.stream("f");
      ok(stream instanceof ReadableStream, "a ReadableStream");
      equal(stream.size, size, `the size of ${mode}`);
      const bytes = await new Response(stream).arrayBuffer();
      equal(await sha256(bytes), expected, `the content of ${mode}`);
    }
    const empty = await createRun(env, "empty").orgo.files.stream("f");
    equal([empty.size, (await new Response(empty).arrayBuffer()).byteLength], [0, 0], "an empty file");
    if (!env.files) return;
    const read = env.files.fromWeb(await createRun(env, "full").orgo.files.stream("f"));
    let received = 0;
    for await (const piece of read) received += piece.length;
    equal(received, 3 << 20, "the bytes of a Node stream");
  },

  async "a refused download is the error of the call"(env) {
    await rejects(createRun(env, "missing").orgo.files.stream("f"), env.sdk.NotFoundError, "a missing file");
    const { orgo } = createRun(env, "full");
    const announced = await rejects(
      orgo.files.stream("f", { maxResponseBytes: 5 }),
      env.sdk.ResponseTooLargeError,
      "a large file",
    );
    equal([announced.limit, announced.status], [5, 200], announced.message);
  },

  async "a download that ends too early is an error"(env) {
    for (const mode of ["short", "cut"]) {
      const stream = await createRun(env, mode, { maxRetries: 2 }).orgo.files.stream("f");
      const error = await rejects(readAll(stream), env.sdk.ConnectionError, mode);
      equal([error.kind, error.delivered], ["transport", "yes"], error.message);
    }
  },

  async "the limits of a download apply to each piece"(env) {
    const stalled = await createRun(env, "stall").orgo.files.stream("f", { idleTimeout: 300 });
    const reader = stalled.getReader();
    equal((await reader.read()).value.length, 1000, "the first piece");
    const error = await rejects(reader.read(), env.sdk.TimeoutError, "a stalled download");
    equal([error.limit, error.delivered], [300, "yes"], error.message);

    const endless = await createRun(env, "endless").orgo.files.stream("f", { maxResponseBytes: 1 << 20 });
    const large = await rejects(readAll(endless), env.sdk.ResponseTooLargeError, "an endless download");
    equal(large.limit, 1 << 20, "the limit");

    // The time limit of the call ends with the first byte.
    const slow = await createRun(env, "endless").orgo.files.stream("f", { timeout: 1000, totalTimeout: 1000 });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const read = slow.getReader();
    ok((await read.read()).value.length > 0, "a read after the time limit of the call");
    await read.cancel();
  },

  async "a reader that waits holds the server back, and a canceled or aborted download frees its connection"(env) {
    const { orgo, counts } = createRun(env, "endless");
    const stream = await orgo.files.stream("f");
    let last = -1;
    await until("the server to wait", async () => {
      const { written } = await counts();
      const waits = written === last;
      last = written;
      return waits;
    });
    // A browser decides how much it reads in advance.
    if (env.kind !== "page") ok(last < LARGE, `${last} bytes were written`);
    await stream.cancel();
    await until("the connection to close", async () => (await counts()).closed >= 2);

    const controller = new AbortController();
    const aborted = createRun(env, "endless");
    const second = await aborted.orgo.files.stream("f", { signal: controller.signal });
    const reader = second.getReader();
    ok((await reader.read()).value.length > 0, "the first piece");
    controller.abort(new Error("enough"));
    const error = await rejects(reader.read(), env.sdk.AbortError, "an aborted download");
    equal([error.reason.message, error.delivered], ["enough", "yes"], error.message);
    await until("the connection to close", async () => (await aborted.counts()).closed >= 2);

    const waiting = createRun(env, "stall");
    const third = (await waiting.orgo.files.stream("f")).getReader();
    await third.read();
    const next = third.read();
    await third.cancel();
    equal((await next).done, true, "a read of a canceled download");
    await until("the connection to close", async () => (await waiting.counts()).closed >= 2);
  },

  async "no file stays open"(env) {
    if (!env.files) return;
    const path = await env.files.create("open", BYTES);
    const before = env.files.openFiles();
    const controller = new AbortController();
    controller.abort();
    await createRun(env, "store").upload({ path });
    await createRun(env, "store").upload(env.files.createReadStream(path));
    await createRun(env, "missing")
      .orgo.files.stream("f")
      .catch(() => {});
    for (const file of [{ path }, env.files.createReadStream(path)]) {
      await rejects(createRun(env, "store").upload(file, { signal: controller.signal }), env.sdk.AbortError, "an abort");
    }
    for (const file of [{ path }, env.files.createReadStream(path)]) {
      await rejects(createRun(env, "dead", { maxRetries: 0 }).upload(file), env.sdk.ConnectionError, "a refused connection");
    }
    for (const file of [{ path }, env.files.createReadStream(path)]) {
      const stalled = createRun(env, "hang").upload(file, { timeout: 300 });
      await rejects(stalled, env.sdk.TimeoutError, "a time limit");
    }
    await until("the files to be closed", () => env.files.openFiles() <= before);
  },
};
