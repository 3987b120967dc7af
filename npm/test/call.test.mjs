import assert from "node:assert/strict";
import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { deferred, fakePlatform, refusal, until } from "./support/fake-binding.mjs";
import { source } from "./support/source.mjs";

const { OrgoClient, AbortError, BindingError, InvalidParameterError, NotFoundError, once } = source;

const client = (respond, options, environment) => {
  const fake = fakePlatform(respond, environment);
  return { ...fake, orgo: new OrgoClient(fake.platform, { apiKey: "sk_test_1", ...options }) };
};

test("a call passes its parameters and options to the binding", async () => {
  const { orgo, calls } = client(() => ({ success: true }));
  const options = { timeout: 5000, maxRetries: 0, maxResponseBytes: 10, headers: { "x-a": "b" } };
  assert.deepEqual(await orgo.computer("c").click({ x: 1, y: 2, button: undefined }, options), { success: true });
  const [{ operation, params, options: passed }] = calls;
  assert.equal(operation, "computers.click");
  assert.deepEqual(params, { x: 1, y: 2, id: "c" });
  assert.deepEqual(passed, { timeout: 5000, max_retries: 0, max_response_bytes: 10, headers: { "x-a": "b" } });
});

test("each method makes its call", async () => {
  const { orgo, calls } = client(() => ({ password: "p", file: {}, url: "u" }));
  const computer = orgo.computer("c");
  const made = async (run) => {
    await run();
    const { operation, params } = calls.at(-1);
    return [operation, params];
  };
  const id = "c";
  const expected = [
    [() => orgo.workspaces.create({ name: "w" }), "workspaces.create", { name: "w" }],
    [() => orgo.workspaces.list(), "workspaces.list", {}],
    [() => orgo.workspaces.get("w"), "workspaces.get", { id: "w" }],
    [() => orgo.workspaces.delete("w"), "workspaces.delete", { id: "w" }],
    [
      () => orgo.computers.create({ workspace_id: "w", name: "n", ram: 8 }),
      "computers.create",
      { workspace_id: "w", name: "n", ram: 8 },
    ],
    [() => orgo.computers.get("c"), "computers.get", { id }],
    [() => orgo.computers.delete("c"), "computers.delete", { id }],
    [() => orgo.computers.vncPassword("c"), "computers.vncPassword", { id }],
    [() => computer.start(), "computers.start", { id }],
    [() => computer.stop(), "computers.stop", { id }],
    [() => computer.restart(), "computers.restart", { id }],
    [() => computer.delete(), "computers.delete", { id }],
    [() => computer.screenshot(), "computers.screenshot", { id }],
    [
      () => computer.screenshot({ format: "jpeg", scale: 0.5, timeout: 5_000 }),
      "computers.screenshot",
      { id, format: "jpeg", scale: 0.5 },
    ],
    [
      () => computer.drag({ start_x: 1, start_y: 2, end_x: 3, end_y: 4 }),
      "computers.drag",
      { start_x: 1, start_y: 2, end_x: 3, end_y: 4, id },
    ],
    [() => computer.type("text", { delay_ms: 1 }), "computers.type", { text: "text", delay_ms: 1, id }],
    [() => computer.key("ctrl+c"), "computers.key", { key: "ctrl+c", id }],
    [() => computer.scroll({ direction: "up" }), "computers.scroll", { direction: "up", id }],
    [() => computer.wait(2), "computers.wait", { duration: 2, id }],
    [() => computer.bash("id", { timeout: 9 }), "computers.bash", { command: "id", timeout: 9, id }],
    [() => computer.exec("1"), "computers.exec", { code: "1", id }],
    [() => computer.stream.start("twitch"), "stream.start", { connection_name: "twitch", id }],
    [() => computer.stream.status(), "stream.status", { id }],
    [() => computer.stream.stop(), "stream.stop", { id }],
    [() => orgo.files.list({ workspace_id: "w" }), "files.list", { workspace_id: "w" }],
    [() => orgo.files.export({ computer_id: "c", path: "~/x" }), "files.export", { computer_id: "c", path: "~/x" }],
    [() => orgo.files.download("f"), "files.download", { id: "f" }],
    [() => orgo.files.bytes("f"), "files.bytes", { id: "f" }],
    [() => orgo.files.stream("f"), "files.stream", { id: "f" }],
    [() => orgo.files.delete("f"), "files.delete", { id: "f" }],
    [() => computer.files.export("/x"), "files.export", { computer_id: "c", path: "/x" }],
  ];
  for (const [run, ...call] of expected) assert.deepEqual(await made(run), call);
});

test("text with half of an emoji is rejected with the name of the parameter before anything is sent", async () => {
  const { orgo, calls } = client();
  const computer = orgo.computer("c");
  const bytes = new Uint8Array(1);
  for (const half of ["\ud83d", "a\ude00b", "\ud83d\ud83d\ude00", "\ude00\ud83d"]) {
    const wrong = [
      ["text", () => computer.type(half)],
      ["key", () => computer.key(half)],
      ["command", () => computer.bash(half)],
      ["code", () => computer.exec(half)],
      ["path", () => computer.files.export(half)],
      ["name", () => orgo.workspaces.create({ name: half })],
      ["name", () => orgo.computers.create({ workspace_id: "w", name: half })],
      ["workspace_id", () => orgo.files.list({ workspace_id: half })],
      ["connection_name", () => computer.stream.start(half)],
      ["id", () => orgo.workspaces.get(half)],
      ["id", () => orgo.computer(half).start()],
      ["name", () => orgo.files.upload({ workspace_id: "w", file: bytes, name: half })],
      ["name", () => computer.files.upload(bytes, { name: half })],
      ["headers", () => computer.start({ headers: { "x-a": half } })],
      ["headers", () => computer.start({ headers: { [half]: "a" } })],
      ["types", () => computer.events([half])],
    ];
    for (const [field, run] of wrong) {
      await assert.rejects(run, (error) => {
        assert.ok(error instanceof InvalidParameterError, String(error));
        assert.equal(error.field, field);
        assert.match(error.message, /half of a surrogate pair/);
        assert.ok(!error.message.includes(half));
        return true;
      });
    }
    assert.throws(() => client(undefined, { apiKey: half }), { field: "apiKey" });
  }
  assert.equal(calls.length, 0);
  await computer.type("whole: 😀 é \ufffd 👩‍💻");
  assert.equal(calls.length, 1);
});

test("an unknown option and an option of a wrong type are rejected before anything is sent", async () => {
  const { orgo, calls } = client();
  const computer = orgo.computer("c");
  const wrong = [
    ["timeuot", { timeuot: 1 }],
    ["timeout", { timeout: "1" }],
    ["timeout", { timeout: 0 }],
    ["maxRetries", { maxRetries: 1.5 }],
    ["maxResponseBytes", { maxResponseBytes: 0 }],
    ["maxResponseBytes", { maxResponseBytes: 1.5 }],
    ["maxResponseBytes", { maxResponseBytes: 2 ** 32 }],
    ["headers", { headers: { a: 1 } }],
    ["signal", { signal: {} }],
    ["options", 5],
    ["options", null],
  ];
  for (const [field, options] of wrong) {
    await assert.rejects(computer.screenshot(options), { name: "InvalidParameterError", field, delivered: "no" });
  }
  await assert.rejects(computer.click(1, 2), InvalidParameterError);
  await assert.rejects(computer.click({ x: Number.NaN, y: 1 }), { field: "x" });
  await assert.rejects(computer.click({ x: 1n, y: 1 }), { field: "x" });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const x of [[1n], { of: 1n }, proxy]) {
    await assert.rejects(computer.click({ x, y: 1 }), {
      name: "InvalidParameterError",
      field: "x",
      message: /JSON can represent/,
    });
  }
  await assert.rejects(computer.bash("id", { signal: AbortSignal.abort() }), { field: "signal" });
  assert.equal(calls.length, 0);
});

test("options whose fields cannot be read are rejected, because they would be ignored", async () => {
  const { orgo, calls } = client();
  const computer = orgo.computer("c");
  const { signal } = new AbortController();
  for (const given of [signal, new Headers({ timeout: "5" }), new Map([["timeout", 5]]), new Date(), Promise.resolve({})]) {
    const refused = (field) => ({ name: "InvalidParameterError", field, delivered: "no", message: /must be a plain object/ });
    await assert.rejects(computer.click({ x: 1, y: 1 }, given), refused("options"));
    await assert.rejects(computer.terminal({}, given), refused("options"));
    await assert.rejects(computer.click(given), refused("params"));
    await assert.rejects(computer.click({ x: 1, y: 1 }, { headers: given }), refused("headers"));
    assert.throws(() => new OrgoClient(fakePlatform().platform, given), refused("options"));
  }
  const cause = new Error("no timeout today");
  const failing = {
    get timeout() {
      throw cause;
    },
  };
  const failed = (field) => ({ name: "InvalidParameterError", field, cause, message: /cannot be read: no timeout today$/ });
  await assert.rejects(computer.click({ x: 1, y: 1 }, failing), failed("options"));
  await assert.rejects(computer.click(failing), failed("params"));
  await assert.rejects(orgo.workspaces.create(failing), failed("params"));
  assert.equal(calls.length, 0);

  class Options {
    timeout = 5;
  }
  const options = [new Options(), Object.assign(Object.create(null), { timeout: 5 }), runInNewContext("({ timeout: 5 })")];
  for (const given of [...options, new Proxy({ timeout: 5 }, {}), Object.freeze({ timeout: 5 })]) {
    await computer.click({ x: 1, y: 1 }, given);
    assert.equal(calls.pop().options.timeout, 5);
  }
});

test("a Blob whose file has changed is an invalid parameter", async () => {
  const { orgo, calls } = client();
  const folder = mkdtempSync(join(tmpdir(), "orgo-blob-"));
  try {
    const path = join(folder, "file");
    writeFileSync(path, "before");
    const file = await openAsBlob(path);
    writeFileSync(path, "after the change");
    await assert.rejects(orgo.files.upload({ workspace_id: "w", file, name: "f" }), (error) => {
      assert.ok(error instanceof InvalidParameterError);
      assert.deepEqual([error.field, error.delivered, error.cause.name], ["file", "no", "NotReadableError"]);
      return true;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.equal(calls.length, 0);
});

test("reading a file has a time limit", async () => {
  const { orgo, calls } = client();
  const file = { name: "f", type: "", arrayBuffer: () => new Promise(() => {}) };
  const upload = (options) => orgo.files.upload({ workspace_id: "w", file }, options);
  await assert.rejects(upload({ timeout: 20 }), { name: "TimeoutError", limit: 20, delivered: "no" });
  await assert.rejects(upload({ totalTimeout: 30 }), { name: "TimeoutError", limit: 30 });
  await assert.rejects(client(undefined, { timeout: 40 }).orgo.files.upload({ workspace_id: "w", file }), { limit: 40 });
  assert.equal(calls.length, 0);
});

test("the options of a client are checked", () => {
  const { platform } = fakePlatform();
  const wrong = {
    apiKye: "x",
    apiKey: "",
    baseUrl: 1,
    timeout: -1,
    maxRetries: "2",
    headers: [],
    logger: 1,
    logLevel: "loud",
    idleTimeout: 0,
    totalTimeout: "1",
    maxResponseBytes: Infinity,
  };
  for (const [field, value] of Object.entries(wrong)) {
    assert.throws(() => new OrgoClient(platform, { [field]: value }), { name: "InvalidParameterError", field });
  }
});

test("environment variables apply if an option is missing", async () => {
  const environment = { ORGO_API_KEY: "sk_env", ORGO_BASE_URL: "http://h/api", ORGO_REALTIME_URL: "" };
  const { platform, calls } = fakePlatform(() => [], { environment });
  await new OrgoClient(platform).workspaces.list();
  await new OrgoClient(platform, { apiKey: "sk_own", timeout: 5, maxRetries: 1 }).workspaces.list();
  assert.deepEqual(calls[0].config, { api_key: "sk_env", base_url: "http://h/api" });
  assert.deepEqual(calls[1].config, { api_key: "sk_own", base_url: "http://h/api", timeout: 5, max_retries: 1 });
});

test("an API key in a page is rejected unless it is allowed", () => {
  const { platform } = fakePlatform(undefined, { exposed: true });
  assert.throws(
    () => new OrgoClient(platform, { apiKey: "sk_secret" }),
    (error) => {
      assert.equal(error.field, "apiKey");
      assert.doesNotMatch(inspect(error), /sk_secret/);
      return true;
    },
  );
  new OrgoClient(platform, { apiKey: "sk_secret", dangerouslyAllowBrowser: true });
  new OrgoClient(platform);
});

test("the binding is loaded once, at the first call", async () => {
  const { orgo, loads } = client(() => []);
  orgo.computer("c");
  assert.equal(loads(), 0);
  await Promise.all([orgo.workspaces.list(), orgo.workspaces.list()]);
  assert.equal(loads(), 1);
});

test("the binding is loaded again after a failure", async () => {
  let attempt = 0;
  const load = once(async () => {
    attempt += 1;
    if (attempt === 1) throw new Error("no network");
    return attempt;
  });
  await assert.rejects(load());
  assert.equal(await load(), 2);
  assert.equal(await load(), 2);
});

test("an error record becomes an error", async () => {
  const { orgo } = client(() => {
    throw refusal(404);
  });
  await assert.rejects(orgo.computers.get("c"), NotFoundError);
});

test("a failure of the binding is a BindingError", async () => {
  const { platform } = fakePlatform();
  const { binding } = await platform.load();
  binding.Client = class {
    call() {
      return { outcome: () => Promise.reject(new Error("panicked")), cancel() {} };
    }
  };
  const orgo = new OrgoClient({ ...platform, load: async () => ({ binding }) });
  await assert.rejects(orgo.workspaces.list(), BindingError);
});

test("an aborted call is canceled, has the reason of the signal and leaves no listener", async () => {
  const { orgo, calls } = client(async (_operation, _params, { canceled }) => {
    await canceled;
    throw { kind: "aborted", message: "m", delivered: "maybe" };
  });
  const controller = new AbortController();
  const { signal } = controller;
  const counted = countListeners(signal);
  const call = orgo.workspaces.list({ signal });
  await until(() => calls.length > 0);
  controller.abort("because");
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof AbortError);
    assert.deepEqual([error.reason, error.delivered], ["because", "maybe"]);
    return true;
  });
  assert.equal(counted(), 0);
});

test("a completed call leaves no listener", async () => {
  const { orgo } = client(() => []);
  const { signal } = new AbortController();
  const counted = countListeners(signal);
  await orgo.workspaces.list({ signal });
  assert.equal(counted(), 0);
});

for (const count of [12, 500]) {
  test(`${count} calls and a wait share a signal without a warning and leave no listener`, async (t) => {
    const warnings = [];
    const onWarning = (warning) => warnings.push(warning);
    process.on("warning", onWarning);
    t.after(() => process.off("warning", onWarning));
    const responses = Array.from({ length: count }, deferred);
    const { orgo, calls } = client(() => responses[calls.length - 1].promise);
    const { signal } = new AbortController();
    const counted = countListeners(signal);
    const all = responses.map(() => orgo.computer("c").click({ x: 1, y: 1 }, { signal }));
    await until(() => calls.length === count);
    assert.equal(counted(), 1);
    for (const { resolve } of responses) resolve({ success: true });
    await Promise.all(all);
    assert.equal(counted(), 0);
    // Node emits warnings in the next tick.
    await new Promise(setImmediate);
    assert.deepEqual(warnings, []);
  });
}

test("an abort cancels every call that shares the signal, and later calls are not sent", async () => {
  const { orgo, calls } = client(async (_operation, _params, { canceled }) => {
    await canceled;
    throw { kind: "aborted", message: "m", delivered: "maybe" };
  });
  const controller = new AbortController();
  const { signal } = controller;
  const counted = countListeners(signal);
  const all = Array.from({ length: 20 }, () => orgo.workspaces.list({ signal }));
  await until(() => calls.length === 20);
  controller.abort("enough");
  for (const call of all) await assert.rejects(call, (error) => error instanceof AbortError && error.reason === "enough");
  assert.equal(counted(), 0);
  await assert.rejects(orgo.workspaces.list({ signal }), AbortError);
  assert.equal(calls.length, 20);
});

test("nothing is sent if the signal is already aborted", async () => {
  const { orgo, calls } = client();
  const reason = new Error("too late");
  await assert.rejects(orgo.workspaces.list({ signal: AbortSignal.abort(reason) }), {
    name: "AbortError",
    cause: reason,
    delivered: "no",
  });
  assert.equal(calls.length, 0);
});

test("a screenshot contains its bytes, and a file is returned as bytes", async () => {
  const { platform } = fakePlatform();
  const { binding } = await platform.load();
  const bytes = Uint8Array.of(1, 2, 3);
  const value = { mime_type: "image/png", width: 4, height: 5 };
  binding.Client = class {
    call(operation) {
      const outcome = async () => ({ ok: true, value: operation === "files.bytes" ? null : value, bytes });
      return { outcome, cancel() {} };
    }
  };
  const orgo = new OrgoClient({ ...platform, load: async () => ({ binding }) });
  assert.deepEqual(await orgo.computer("c").screenshot(), { data: bytes, ...value });
  assert.deepEqual(await orgo.files.bytes("f"), bytes);
});

test("an upload accepts bytes, buffers and blobs", async () => {
  const { orgo, calls } = client((operation) => (operation === "computers.get" ? { id: "c", workspace_id: "w" } : { id: "f" }));
  const uploaded = async (params) => {
    await orgo.files.upload({ workspace_id: "w", ...params });
    return calls.at(-1).content;
  };
  const data = Uint8Array.of(104, 105);
  const plain = { name: "a.txt", content_type: "application/octet-stream", data };
  assert.deepEqual(await uploaded({ file: data, name: "a.txt" }), plain);
  assert.deepEqual(await uploaded({ file: data.buffer, name: "a.txt" }), plain);
  assert.deepEqual(await uploaded({ file: new Blob(["hi"], { type: "text/plain" }), name: "b" }), {
    name: "b",
    content_type: "text/plain",
    data,
  });
  assert.deepEqual(await uploaded({ file: new File(["hi"], "c.txt") }), { ...plain, name: "c.txt" });
  await assert.rejects(uploaded({ file: data }), { field: "name" });
  for (const file of ["hi", null, undefined, 5, {}, { path: 5 }]) {
    const refused = { name: "InvalidParameterError", field: "file" };
    await assert.rejects(uploaded({ file, name: "a" }), refused);
    await assert.rejects(uploaded({ file }), refused);
    await assert.rejects(orgo.computer("c").files.upload(file), refused);
  }

  await orgo.computer("c").files.upload(data, { name: "d" });
  assert.deepEqual(calls.at(-1).params, { workspace_id: "w", computer_id: "c" });
  await assert.rejects(orgo.computer("c").files.upload(data, { nam: "d" }), { field: "nam" });
  await orgo.computer("c").files.list();
  assert.deepEqual(calls.at(-1).params, { workspace_id: "w", computer_id: "c" });
});

/** Creates a client. The test determines the progress of its uploads. */
function uploading() {
  const { platform } = fakePlatform();
  const outcome = deferred();
  const steps = [];
  const calls = [];
  let wake = () => {};
  const put = (...more) => {
    steps.push(...more);
    wake();
  };
  class Client {
    call(operation, _params, options, content) {
      if (operation !== "files.upload") return { outcome: async () => ({ ok: true, value: { id: "c", workspace_id: "w" } }) };
      calls.push({ options, content });
      return {
        outcome: () => outcome.promise,
        async nextUploadProgress() {
          while (steps.length === 0) await new Promise((resolve) => (wake = resolve));
          return steps.shift();
        },
        cancel: () => {
          put({ loaded: 9, total: 9 }, null);
          outcome.resolve({ ok: false, error: { kind: "aborted", message: "aborted", delivered: "maybe" } });
        },
      };
    }
  }
  const load = async () => ({ binding: { ...(await platform.load()).binding, Client } });
  return { orgo: new OrgoClient({ ...platform, load }), put, outcome, calls };
}

test("an upload reports its progress until it ends", async () => {
  for (const upload of [
    (orgo, onProgress) =>
      orgo.files.upload({ workspace_id: "w", file: new Uint8Array(9), name: "f" }, { onProgress, timeout: 5_000 }),
    (orgo, onProgress) => orgo.computer("c").files.upload(new Uint8Array(9), { name: "f" }, { onProgress, timeout: 5_000 }),
  ]) {
    const { orgo, put, outcome, calls } = uploading();
    const reported = [];
    const uploaded = upload(orgo, (progress) => reported.push(progress));
    put({ loaded: 4, total: 9 });
    while (reported.length === 0) await new Promise(setImmediate);
    outcome.resolve({ ok: true, value: { id: "f" } });
    put({ loaded: 9, total: 9 }, null);
    await uploaded;
    assert.deepEqual(
      reported,
      [4, 9].map((loaded) => ({ loaded, total: 9 })),
    );
    assert.equal(calls.at(-1).content.reports_progress, true);
    assert.equal("onProgress" in calls.at(-1).options, false);
    put({ loaded: 9, total: 9 }, null);
    await new Promise(setImmediate);
    assert.equal(reported.length, 2);
  }
});

test("an exception in the listener of an upload is reported as uncaught, and the upload continues", async (context) => {
  const { orgo, put, outcome } = uploading();
  const uncaught = [];
  context.mock.method(globalThis, "queueMicrotask", (report) => uncaught.push(report));
  let calls = 0;
  const onProgress = () => {
    calls += 1;
    throw new Error("mine");
  };
  const uploaded = orgo.files.upload({ workspace_id: "w", file: new Uint8Array(9), name: "f" }, { onProgress });
  put({ loaded: 4, total: 9 }, { loaded: 9, total: 9 }, null);
  outcome.resolve({ ok: true, value: { id: "f" } });
  assert.deepEqual(await uploaded, { id: "f" });
  assert.equal(calls, 2);
  assert.equal(uncaught.length, 2);
  for (const report of uncaught) assert.throws(report, { message: "mine" });
});

test("no progress is reported without a listener or after an abort", async () => {
  const { orgo, put, calls } = uploading();
  const file = new Uint8Array(9);
  const controller = new AbortController();
  const reported = [];
  const options = { onProgress: (progress) => reported.push(progress), signal: controller.signal };
  const aborted = orgo.files.upload({ workspace_id: "w", file, name: "f" }, options);
  while (calls.length === 0) await new Promise(setImmediate);
  controller.abort();
  await assert.rejects(aborted, { name: "AbortError" });
  const before = reported.length;
  put({ loaded: 9, total: 9 });
  await new Promise(setImmediate);
  assert.equal(reported.length, before);

  const withoutListener = uploading();
  withoutListener.outcome.resolve({ ok: true, value: { id: "f" } });
  await withoutListener.orgo.files.upload({ workspace_id: "w", file, name: "f" });
  assert.equal(withoutListener.calls[0].content.reports_progress, undefined);
  const wrong = { field: "onProgress" };
  await assert.rejects(orgo.files.upload({ workspace_id: "w", file, name: "f" }, { onProgress: 1 }), wrong);
  await assert.rejects(orgo.files.upload({ workspace_id: "w", file, name: "f", onProgress() {} }), wrong);
  await assert.rejects(orgo.computer("c").files.upload(file, { name: "f" }, { onProgress: 1 }), wrong);
  await assert.rejects(orgo.computer("c").files.upload(file, { name: "f", onProgress() {} }), wrong);
  await assert.rejects(orgo.files.list({ workspace_id: "w" }, { onProgress() {} }), wrong);
});

test("a custom request is handled like every call", async () => {
  const { orgo, calls } = client(() => ({ id: "s", token: "hidden" }));
  const controller = new AbortController();
  const result = await orgo.request(
    {
      method: "POST",
      path: "/snapshots",
      query: { tag: ["a", 1, true], none: undefined },
      body: { at: new Date(0), nested: [undefined, { left: undefined, kept: null }] },
      effect: "read",
    },
    { timeout: 5_000, signal: controller.signal },
  );
  // The package does not know the meaning of these fields.
  assert.deepEqual(result, { id: "s", token: "hidden" });
  const [{ operation, params, options }] = calls;
  assert.equal(operation, "request");
  assert.deepEqual(params, {
    method: "POST",
    path: "/snapshots",
    query: { tag: ["a", 1, true] },
    body: { at: "1970-01-01T00:00:00.000Z", nested: [null, { kept: null }] },
    effect: "read",
  });
  assert.deepEqual(options, { timeout: 5_000 });
  await orgo.request({ method: "PUT", path: "/x", body: null });
  assert.deepEqual(calls[1].params, { method: "PUT", path: "/x", body: null });
});

test("secrets in a result are not enumerable, but flags are", async () => {
  const { orgo } = client(() => ({
    id: "c",
    has_password: true,
    vnc_password: "hidden",
    links: [{ access_token: 1234, url: "u" }],
  }));
  const result = await orgo.workspaces.get("w");
  assert.equal(JSON.stringify(result), '{"id":"c","has_password":true,"links":[{"url":"u"}]}');
  assert.equal(result.vnc_password, "hidden");
  assert.equal(result.links[0].access_token, 1234);
});

test("parameters that are not an object are refused", async () => {
  const { orgo, calls } = client(() => ({}));
  const computer = orgo.computer("c");
  for (const given of [null, 5_000, "80", true, () => 1, [1]]) {
    for (const call of [
      () => computer.bash("echo a", given),
      () => computer.exec("1", given),
      () => computer.type("a", given),
      () => computer.click(given),
      () => orgo.files.upload(given),
    ]) {
      await assert.rejects(call(), { name: "InvalidParameterError", field: "params" }, `${call} ${String(given)}`);
    }
  }
  await assert.rejects(orgo.files.upload(), { name: "InvalidParameterError" });
  assert.equal(calls.length, 0);
});

test("a custom request returns JSON, bytes or null", async () => {
  const outcomes = [
    { ok: true, value: [1] },
    { ok: true, value: null, bytes: Uint8Array.of(1, 2) },
    { ok: true, value: null },
  ];
  const expected = [[1], Uint8Array.of(1, 2), null];
  for (const [at, outcome] of outcomes.entries()) {
    const { platform } = fakePlatform();
    const { binding } = await platform.load();
    binding.Client = class {
      call() {
        return { outcome: async () => outcome, cancel() {} };
      }
    };
    const orgo = new OrgoClient({ ...platform, load: async () => ({ binding }) });
    assert.deepEqual(await orgo.request({ method: "GET", path: "/x" }), expected[at]);
  }
});

test("a custom request that JSON cannot represent is rejected with the name of the parameter", async () => {
  const { orgo, calls } = client(() => ({}));
  const circle = {};
  circle.again = circle;
  for (const [field, params] of [
    ["body", { body: 1n }],
    ["body", { body: circle }],
    ["body", { body: () => 1 }],
    ["body", { body: { emoji: "\ud83d" } }],
    ["body", { body: { "\ude00": 1 } }],
    ["query", { query: { a: "\ud83d" } }],
    ["query", { query: "a=1" }],
    ["query", { query: new URLSearchParams({ a: "1" }) }],
    ["query", { query: new Map([["a", 1]]) }],
    ["query", { query: { a: Number.NaN } }],
    ["query", { query: { a: () => 1 } }],
    ["body", { body: Number.POSITIVE_INFINITY }],
    ["body", { body: [Symbol("a")] }],
    ["body", { body: { inner: new Uint8Array(2) } }],
    ["body", { body: Buffer.from("a") }],
    ["body", { body: new FormData() }],
    ["body", { body: new Blob(["a"]) }],
    ["body", { body: Promise.resolve(1) }],
    ["body", { body: new Error("a") }],
    ["onProgress", { onProgress() {} }],
    ["params", undefined],
    ["path", { path: 5 }],
    ["params", null],
    ["headers", { headers: {} }],
  ]) {
    const given = params && { method: "POST", path: "/x", ...params };
    await assert.rejects(orgo.request(given), { name: "InvalidParameterError", field }, String(field));
  }
  assert.equal(calls.length, 0);
});

test("the logger receives the lines of the binding at the requested level", async () => {
  const lines = [];
  const logger = { debug: (line) => lines.push(line) };
  const logged = async (options) => {
    const { orgo, calls } = client(() => ({ password: "p" }), options);
    await orgo.computers.vncPassword("c");
    return [calls.at(-1).config.log_level, lines.splice(0)];
  };
  assert.deepEqual(await logged({}), [undefined, []]);
  assert.deepEqual(await logged({ logger }), ["info", []]);
  assert.deepEqual(await logged({ logger, logLevel: "off" }), [undefined, []]);
  const all = ["orgo-sdk: computers.vncPassword: begun"];
  assert.deepEqual(await logged({ logger, logLevel: "debug" }), ["debug", all]);
  assert.deepEqual(await logged({ logger: {}, logLevel: "debug" }), ["debug", []]);
});

test("time limits are passed to the binding, and apply while it is loaded", async () => {
  const { orgo, calls } = client(() => ({}), { idleTimeout: 3_000, totalTimeout: 9_000, maxResponseBytes: 7 });
  await orgo.computer("c").start({ timeout: 1_000, idleTimeout: 2_000, totalTimeout: 4_000 });
  const { options, config } = calls.at(-1);
  const { total_timeout, ...others } = options;
  assert.deepEqual(others, { timeout: 1_000, idle_timeout: 2_000 });
  assert.ok(total_timeout > 0 && total_timeout <= 4_000, "the remaining time");
  assert.deepEqual([config.idle_timeout, config.total_timeout, config.max_response_bytes], [3_000, 9_000, 7]);

  const { platform } = fakePlatform();
  const stuck = new OrgoClient({ ...platform, load: () => new Promise(() => {}) }, { apiKey: "k" });
  await assert.rejects(stuck.computer("c").start({ timeout: 10 }), { name: "TimeoutError", delivered: "no", limit: 10 });
  await assert.rejects(stuck.computer("c").terminal({}, { timeout: 10 }), { name: "TimeoutError", limit: 10 });
  const controller = new AbortController();
  const given = stuck.computer("c").start({ signal: controller.signal });
  controller.abort("enough");
  await assert.rejects(given, { name: "AbortError", reason: "enough", delivered: "no" });
});

test("the error of an exceeded total limit contains the limit of the caller, not the remaining time", async () => {
  const respond = (operation, _, { options: { total_timeout: limit } }) => {
    if (operation === "computers.get") return new Promise((resolve) => setTimeout(resolve, 20, { id: "c", workspace_id: "w" }));
    throw { kind: "timeout", message: `no success within ${limit} ms`, delivered: "maybe", limit };
  };
  const { orgo, calls } = client(respond);
  const uploading = orgo.computer("c").files.upload(new Uint8Array(1), { name: "f" }, { totalTimeout: 5_000 });
  await assert.rejects(uploading, {
    name: "TimeoutError",
    message: "files.upload: no success within 5000 ms",
    limit: 5_000,
    delivered: "maybe",
  });
  assert.ok(calls.at(-1).options.total_timeout < 5_000);
});

function countListeners(signal) {
  let count = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args) => {
    count += 1;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args) => {
    count -= 1;
    removeEventListener.apply(signal, args);
  };
  return () => count;
}
