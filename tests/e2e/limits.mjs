// Tests of limits and cancellation of calls, channel openings and waits, of log lines, and of password refreshes. The tests
// run in Node with each binding, and in a page. Each test is a function of an environment with `sdk` (the package),
// `server` (the URL of limits-server.mjs), `deadUrl` (a URL without a server) and `reportsSending` (whether the
// platform reports how much of a request was sent).
import { equal, ok, rejects } from "../scenarios/check.mjs";
import { until } from "../support/wait.mjs";

/** A timeout that no call reaches, in milliseconds. */
const LONG = 30_000;
/** A timeout within which even a slow machine sends a request, in milliseconds. */
const SEND_TIME = 600;

let runs = 0;

/** The parameters of an upload that is larger than the buffers between client and server. */
const LARGE = { workspace_id: "w", name: "f", file: new Uint8Array(32 << 20) };

/** Creates a run: a client, a connection, and access to the server's counts for this run. */
function createRun({ sdk, server }, mode, options = {}) {
  runs += 1;
  const run = `${Date.now()}-${runs}`;
  const lines = [];
  const progress = [];
  const log = (line) => lines.push(line);
  const logger = { debug: log, info: log, warn: log, error: log };
  const settings = { apiKey: "sk_secret", timeout: LONG, dangerouslyAllowBrowser: true, logger, ...options };
  const orgo = new sdk.Orgo({ ...settings, baseUrl: `${server}/${mode}/${run}/api` });
  const connection = { version: 1, computer_id: "c", connection_url: `${server}/${mode}/${run}`, password: "old" };
  return {
    orgo,
    lines,
    progress,
    onProgress: (event) => progress.push(event),
    connection,
    computer: orgo.computer("c"),
    connected: sdk.Orgo.connect(connection, { logger }),
    counts: async () => (await fetch(`${server}/counts/${run}`)).json(),
    resume: () => fetch(`${server}/resume/${run}`),
  };
}

/** Abortable operations: how to start each operation, when it waits for the server, and when its resources are released. */
const abortable = {
  "a call that was sent": {
    mode: "hang",
    start: ({ computer }, options) => computer.click({ x: 1, y: 1 }, options),
    reached: ({ requests }) => requests === 1,
    freed: ({ aborted }) => aborted === 1,
    delivered: "maybe",
  },
  "a response that has started": {
    mode: "stall",
    start: ({ computer }, options) => computer.refresh(options),
    reached: ({ requests }) => requests === 1,
    freed: ({ aborted }) => aborted === 1,
    delivered: "maybe",
  },
  "the delay before a retry": {
    mode: "later",
    start: ({ computer }, options) => computer.refresh(options),
    reached: (_, { lines }) => lines.length === 1,
    freed: ({ requests, aborted }) => requests === 1 && aborted === 0,
    delivered: "maybe",
  },
  "the wait for a computer": {
    mode: "starting",
    start: ({ computer }, options) => computer.waitUntilRunning(options),
    reached: ({ requests }) => requests === 2,
    freed: ({ aborted }) => aborted === 0,
    delivered: "no",
  },
  "an upload": {
    mode: "hang",
    start: ({ orgo }, options) => orgo.files.upload({ workspace_id: "w", name: "f", file: new Uint8Array(8 << 20) }, options),
    reached: ({ requests }) => requests === 1,
    freed: ({ aborted }) => aborted === 1,
    delivered: "maybe",
  },
  "an upload with progress": {
    mode: "hang",
    start: ({ orgo, onProgress }, options) => orgo.files.upload(LARGE, { ...options, onProgress }),
    reached: ({ requests }) => requests === 1,
    freed: ({ aborted }) => aborted === 1,
    delivered: "maybe",
  },
  "the reading of a file before its upload": {
    mode: "hang",
    start: ({ orgo }, options) => {
      const file = { type: "text/plain", name: "f", arrayBuffer: () => new Promise(() => {}) };
      return orgo.files.upload({ workspace_id: "w", file }, options);
    },
    reached: () => true,
    freed: ({ requests }) => requests === 0,
    delivered: "no",
  },
  "a download": {
    mode: "linked",
    start: ({ orgo }, options) => orgo.files.bytes("f", options),
    reached: ({ requests }) => requests === 2,
    freed: ({ aborted }) => aborted === 1,
    delivered: "yes",
  },
  "the opening of a channel without a response": {
    mode: "hang",
    start: ({ connected }, options) => connected.terminal({}, options),
    reached: ({ sockets }) => sockets === 1,
    freed: ({ closed }) => closed === 1,
    delivered: "maybe",
  },
  "the opening of an audio channel without a response": {
    mode: "hang",
    start: ({ connected }, options) => connected.audio({}, options),
    reached: ({ sockets }) => sockets === 1,
    freed: ({ closed }) => closed === 1,
    delivered: "maybe",
  },
  "the opening of a channel without a message": {
    mode: "mute",
    start: ({ connected }, options) => connected.events(["idle"], options),
    reached: ({ sockets }) => sockets === 1,
    freed: ({ closed }) => closed === 1,
    delivered: "maybe",
  },
  "the request for a password": {
    mode: "hang",
    start: ({ computer }, options) => computer.terminal({}, options),
    reached: ({ requests }) => requests === 1,
    freed: ({ aborted }) => aborted === 1,
    delivered: "maybe",
  },
};

/** Operations that wait on an open channel. The channel stays open when they end. */
const waiting = {
  "terminal.read": { open: (connected) => connected.terminal(), wait: (terminal, options) => terminal.read(options) },
  "terminal.waitForExit": {
    open: (connected) => connected.terminal(),
    wait: (terminal, options) => terminal.waitForExit(options),
  },
  "audio.read": { open: (connected) => connected.audio(), wait: (audio, options) => audio.read(options) },
  "events.read": { open: (connected) => connected.events(["idle"]), wait: (events, options) => events.read(options) },
  "events.waitFor": {
    open: (connected) => connected.events(["idle"]),
    wait: (events, options) => events.waitFor("idle", options),
  },
};

/** Aborts an operation, and checks its error. Returns the error. */
async function abort({ sdk }, controller, operation, what) {
  const reason = { why: what };
  controller.abort(reason);
  const error = await rejects(operation, sdk.AbortError, what);
  ok(error.reason === reason && error.cause === reason, `${what}: the reason`);
  equal(error.kind, "aborted", `${what}: the kind`);
  return error;
}

const aborts = Object.entries(abortable).map(([what, { mode, start, reached, freed, delivered }]) => [
  `${what} can be aborted`,
  async (env) => {
    const run = createRun(env, mode);
    const controller = new AbortController();
    const operation = start(run, { signal: controller.signal });
    operation.catch(() => {});
    await until(`${what} to wait for the server`, async () => reached(await run.counts(), run));
    const error = await abort(env, controller, operation, what);
    equal(error.delivered, delivered, `${what}: whether it was delivered`);
    await until(`${what} to release its resources`, async () => freed(await run.counts()));

    const before = await run.counts();
    const signal = AbortSignal.abort();
    await rejects(start(run, { signal }), env.sdk.AbortError, `${what}, aborted before it started`);
    const { requests, sockets } = await run.counts();
    equal(requests + sockets, before.requests + before.sockets, `${what}: the requests after an abort before the start`);
  },
]);

const waits = Object.entries(waiting).map(([what, { open, wait }]) => [
  `${what} ends at its signal and its timeout, and the channel stays open`,
  async (env) => {
    const { connected } = createRun(env, "echo");
    const channel = await open(connected);
    const controller = new AbortController();
    const operation = wait(channel, { signal: controller.signal });
    operation.catch(() => {});
    const error = await abort(env, controller, operation, what);
    equal(error.delivered, "no", "whether it was delivered");
    const late = await rejects(wait(channel, { timeout: 20 }), env.sdk.TimeoutError, what);
    equal(late.limit, 20, "the limit");
    ok(late.message.startsWith(`${what}: `), late.message);
    const refused = await rejects(wait(channel, { timeout: 0 }), env.sdk.InvalidParameterError, what);
    equal(refused.field, "timeout", "the field");
    equal(channel.state.status, "open", "the state");
    await channel.close();
  },
]);

async function idleTimeout(env) {
  const { computer } = createRun(env, "stall");
  const error = await rejects(
    computer.refresh({ idleTimeout: 200, maxRetries: 0 }),
    env.sdk.TimeoutError,
    "a response that stops",
  );
  equal(error.limit, 200, "the limit");
  ok(error.message.includes("stalled for"), error.message);
}

async function totalTimeout(env) {
  const { computer, orgo } = createRun(env, "hang");
  const options = { timeout: LONG, totalTimeout: SEND_TIME, maxRetries: 5 };
  const error = await rejects(computer.refresh(options), env.sdk.TimeoutError, "a server that does not respond");
  equal(error.limit, SEND_TIME, "the limit");
  equal(error.delivered, "maybe", "whether it was delivered");
  const file = { type: "text/plain", name: "f", arrayBuffer: () => new Promise(() => {}) };
  const upload = orgo.files.upload({ workspace_id: "w", file }, { totalTimeout: 50 });
  ok((await rejects(upload, env.sdk.TimeoutError, "a file that is not read")).message.includes("not read"), "the message");
}

async function requestTimeout(env) {
  const { computer, counts } = createRun(env, "hang");
  const error = await rejects(
    computer.refresh({ timeout: SEND_TIME, maxRetries: 1 }),
    env.sdk.TimeoutError,
    "a server that does not respond",
  );
  equal(error.limit, SEND_TIME, "the limit");
  equal((await counts()).requests, 2, "the requests: a read is retried");
}

async function stepsShareTheTotalTimeout(env) {
  const { computer, counts } = createRun(env, "delayed");
  const ended = [];
  const note = (what) => (error) => {
    ended.push(what);
    throw error;
  };
  // If each of the two requests of the upload had its own limit, the upload would take 1500 ms.
  const later = createRun(env, "hang").computer.refresh({ totalTimeout: 1250 }).catch(note("a call with a limit of 1250 ms"));
  const upload = computer.files.upload(new Uint8Array(1), { name: "f" }, { totalTimeout: 1000 }).catch(note("the upload"));
  later.catch(() => {});
  const error = await rejects(upload, env.sdk.TimeoutError, "an upload that must look up its workspace first");
  equal(error.limit, 1000, "the limit");
  await rejects(later, env.sdk.TimeoutError, "the call with a limit of 1250 ms");
  equal((await counts()).requests, 2, "the requests");
  equal(ended[0], "the upload", "what ended first");
}

async function uploadReportsProgress(env) {
  const { orgo, progress, onProgress, resume, counts } = createRun(env, "paused");
  const total = LARGE.file.length;
  const uploaded = orgo.files.upload(LARGE, { onProgress });
  await until("the request", async () => (await counts()).requests === 1);
  if (env.reportsSending) await until("the first progress", () => progress.length > 0);
  ok(
    progress.every(({ loaded }) => loaded < total),
    `the progress is complete although the server has not read the file: ${JSON.stringify(progress)}`,
  );
  await resume();
  await uploaded;
  const count = progress.length;
  equal(progress.at(-1)?.loaded, total, "the final progress");
  ok(
    progress.every(({ loaded }, index) => index === 0 || loaded > progress[index - 1].loaded),
    JSON.stringify(progress),
  );
  ok(
    progress.every((event) => event.total === total),
    "the size of the file",
  );
  ok(count > 1 || !env.reportsSending, `the progress: ${JSON.stringify(progress)}`);
  await orgo.workspaces.list().catch(() => {});
  equal(progress.length, count, "the number of progress events after the end");
}

async function uploadWithProgressHasLimits(env) {
  const { orgo, progress, onProgress, resume, counts } = createRun(env, "slowly");
  const upload = orgo.files.upload(LARGE, { timeout: SEND_TIME, maxRetries: 2, onProgress });
  const error = await rejects(upload, env.sdk.TimeoutError, "a server that does not read");
  equal(error.limit, SEND_TIME, "the limit");
  equal(error.delivered, "maybe", "whether it was delivered");
  ok(
    progress.every(({ loaded, total }) => loaded < total),
    JSON.stringify(progress),
  );
  const events = progress.length;
  // The server detects the end of the connection only while it reads.
  await resume();
  // On a slow machine, the limit may be reached before the request arrives.
  let seen;
  const ended = ({ requests, aborted }) => aborted === requests;
  await until(
    () => `the connection to be closed: ${JSON.stringify(seen)}`,
    async () => {
      seen = await counts();
      return ended(seen);
    },
  );
  equal(progress.length, events, "the number of progress events after the end");
  ok((await counts()).requests <= 1, "an upload that may have arrived is not retried");

  const stalled = createRun(env, "stall").orgo.files.upload(
    { ...LARGE, file: new Uint8Array(9) },
    { idleTimeout: 200, onProgress },
  );
  equal((await rejects(stalled, env.sdk.TimeoutError, "a response that stops")).limit, 200, "the limit of a pause");
}

/** Operations whose parameters contain no time limit for the server. */
const hanging = {
  bash: (computer) => computer.bash("make"),
  exec: (computer) => computer.exec("q"),
  drag: (computer) => computer.drag({ start_x: 0, start_y: 0, end_x: 1, end_y: 1 }),
  click: (computer) => computer.click({ x: 1, y: 1 }),
  type: (computer) => computer.type("text"),
  key: (computer) => computer.key("a"),
  scroll: (computer) => computer.scroll({ direction: "up" }),
  wait: (computer) => computer.wait(0.1),
  screenshot: (computer) => computer.screenshot(),
  start: (computer) => computer.start(),
  stop: (computer) => computer.stop(),
  restart: (computer) => computer.restart(),
  refresh: (computer) => computer.refresh(),
  "a command with a shorter limit": (computer) => computer.bash("make", { timeout: 1 }, { timeout: SEND_TIME }),
  terminal: (computer) => computer.terminal(),
  audio: (computer) => computer.audio(),
  events: (computer) => computer.events(["idle"]),
  connection: (computer) => computer.connection(),
};

async function clientTimeoutAppliesToCalls(env) {
  const { computer } = createRun(env, "hang", { timeout: SEND_TIME, maxRetries: 0 });
  await Promise.all(
    Object.entries(hanging).map(async ([what, call]) => {
      const error = await rejects(call(computer), env.sdk.TimeoutError, what);
      equal(error.limit, SEND_TIME, `the limit of ${what}`);
    }),
  );
}

async function serverTimeoutExtendsClientTimeout(env) {
  const { computer } = createRun(env, "hang", { timeout: SEND_TIME, maxRetries: 0 });
  const controller = new AbortController();
  const { signal } = controller;
  const calls = [
    computer.bash("make", { timeout: 60 }, { signal }),
    computer.exec("q", { timeout: 60 }, { signal }),
    computer.drag({ start_x: 0, start_y: 0, end_x: 1, end_y: 1, duration: 60 }, { signal }),
    computer.wait(60, { signal }),
  ];
  const ended = calls.map((call) => call.catch((error) => error));
  await rejects(computer.click({ x: 1, y: 1 }), env.sdk.TimeoutError, "a call without a server timeout");
  controller.abort();
  for (const error of await Promise.all(ended))
    ok(error instanceof env.sdk.AbortError, `the call ended too early: ${error.message}`);
}

async function errorsOfProxiesAreReadable(env) {
  for (const [mode, expected] of [
    ["page", /^computers\.click: 502 Bad Gateway$/],
    ["text", /^computers\.click: 503 no healthy upstream for Bearer \*\*\* x+…$/],
  ]) {
    const { computer } = createRun(env, mode);
    const error = await rejects(computer.click({ x: 1, y: 1 }), env.sdk.ServerError, mode);
    ok(expected.test(error.message), error.message);
    ok(error.message.length < 300, `the length of ${error.message}`);
    ok(!error.body.includes("sk_secret"), error.body);
  }
}

async function actionsAreNotRedirected(env) {
  const actions = [
    (computer) => computer.click({ x: 1, y: 1 }),
    (computer) => computer.type("x"),
    (computer) => computer.delete(),
  ];
  for (const action of actions) {
    // No retries, because a page would retry: it cannot distinguish a redirect from other failures.
    const { computer, counts } = createRun(env, "redirect", { maxRetries: 0 });
    const error = await rejects(action(computer), env.sdk.OrgoError, `${action}`);
    ok(/the server redirects this call/.test(error.message), error.message);
    equal(error.delivered, "maybe", `whether ${action} was delivered`);
    equal((await counts()).requests, 1, `the requests of ${action}`);
  }
  const { orgo, counts } = createRun(env, "redirect");
  equal((await orgo.computers.get("c")).id, "c", "the result of a redirected read");
  equal((await counts()).requests, 2, "the requests of a read");
}

async function credentialsStayOnTheirOrigin(env) {
  for (const options of [{}, { headers: { "x-tenant": "t" } }]) {
    const { orgo, counts } = createRun(env, "leave", { maxRetries: 0, ...options });
    const error = await rejects(orgo.computers.get("c"), env.sdk.OrgoError, "a read that is redirected to another origin");
    // A page may also be forbidden to fetch from the other origin.
    ok(/only reads follow redirects, on the same origin|the browser gives no cause/.test(error.message), error.message);
    equal((await counts()).leaks, 0, "the requests with credentials to another origin");
  }
}

async function refusedChannelsReportTheServersMessage(env) {
  const connected = env.sdk.Orgo.connect({ ...createRun(env, "invalid").connection, password: "hunter2" });
  const openings = {
    terminal: () => connected.terminal(),
    audio: () => connected.audio({ sample_rate: 44_101 }),
    events: () => connected.events(["idle"]),
  };
  for (const [what, open] of Object.entries(openings)) {
    const error = await rejects(open(), env.sdk.ChannelClosedError, what);
    equal(`${error.cause.reason} ${error.cause.code}`, "failed 4500", what);
    ok(error.message.includes(`sample_rate ${what === "audio" ? 44101 : null} is not supported (token ***`), error.message);
    ok(!error.message.includes("hunter2") && error.message.length < 500, error.message);
  }
}

async function callsShareASignal(env) {
  const { computer } = createRun(env, "hang");
  const controller = new AbortController();
  const calls = Array.from({ length: 12 }, () => computer.click({ x: 1, y: 1 }, { signal: controller.signal }));
  for (const call of calls) call.catch(() => {});
  await env.sdk.Orgo.bindingInfo();
  const reason = new Error("enough");
  controller.abort(reason);
  for (const call of calls) ok((await rejects(call, env.sdk.AbortError, "a call")).reason === reason, "the reason");
}

async function copiesOfConnectionsAreRefused(env) {
  const connection = new env.sdk.Connection(createRun(env, "echo").connection);
  for (const copy of [structuredClone(connection), { ...connection }]) {
    let error;
    try {
      env.sdk.Orgo.connect(copy);
    } catch (thrown) {
      error = thrown;
    }
    ok(error instanceof env.sdk.InvalidParameterError && error.message.includes("toJSON()"), String(error));
  }
  for (const complete of [
    connection,
    connection.toJSON(),
    structuredClone(connection.toJSON()),
    JSON.parse(JSON.stringify(connection)),
  ]) {
    const terminal = await env.sdk.Orgo.connect(complete).terminal();
    await terminal.close();
  }
}

async function retriesAreLogged(env) {
  const { computer, lines } = createRun(env, "slow");
  const error = await rejects(computer.click({ x: 1, y: 1 }), env.sdk.RateLimitError, "a server with a rate limit");
  equal(error.retry_after, 3600, "the delay that exceeds the total timeout");
  await until("the line", () => lines.length > 0);
  equal(lines.join("\n"), "orgo-sdk: computers.click: 429 slow down; retrying in 0 ms (1 of 2), request id req_1", "the log");
}

async function callsAreRetriedTwice(env) {
  const { computer, lines, counts } = createRun(env, "soon", { logLevel: "debug" });
  const error = await rejects(computer.refresh(), env.sdk.ServerError, "a busy server");
  equal(error.request_id, "req_1", "the request id");
  equal((await counts()).requests, 3, "the requests");
  await until("the lines", () => lines.length === 3);
  const checkRetry = (retry, maxDelay) => {
    const [, wait] =
      new RegExp(`^orgo-sdk: computers.get: 503 busy; retrying in (\\d+) ms \\(${retry} of 2\\), request id req_1$`).exec(
        lines[retry - 1],
      ) ?? [];
    ok(Number(wait) <= maxDelay, `the delay before retry ${retry}: ${lines[retry - 1]}`);
  };
  checkRetry(1, 1000);
  checkRetry(2, 2000);
  ok(/^orgo-sdk: computers.get: 503 busy; \d+ ms, 3 requests, request id req_1$/.test(lines[2]), lines[2]);
}

async function logLevelsAreRespected(env) {
  const quiet = createRun(env, "soon", { logLevel: "warn" });
  await rejects(quiet.computer.refresh({ maxRetries: 1 }), env.sdk.ServerError, "a busy server");
  equal(quiet.lines.length, 0, "the number of lines below the log level");
  const off = createRun(env, "slow", { logLevel: "off" });
  await rejects(off.computer.refresh(), env.sdk.RateLimitError, "a server with a rate limit");
  equal(off.lines.length, 0, "the number of lines with the level `off`");
}

async function missingKeyIsReported(env) {
  const { computer } = createRun(env, "unauthorized", { apiKey: undefined });
  const error = await rejects(computer.refresh(), env.sdk.AuthenticationError, "a call without a key");
  equal(
    error.message,
    "computers.get: 401 Missing API key (no API key was sent: give the client an `apiKey`, or in Node set ORGO_API_KEY)",
    "the message",
  );
  const terminal = computer.terminal();
  const cause = (await rejects(terminal, env.sdk.ChannelClosedError, "a channel without a key and without a password")).cause;
  equal(cause.reason, "unauthorized", "the cause");
  ok(cause.message.includes("no API key"), cause.message);

  const refused = createRun(env, "unauthorized").computer.terminal();
  const { message } = await rejects(refused, env.sdk.ChannelClosedError, "a channel with a refused key");
  equal(
    message,
    "the password was refused: computers.get: 401 Missing API key, request id req_1",
    "the message of a channel if the password request is refused",
  );
}

async function passwordIsRefreshed(env) {
  const { connection } = createRun(env, "guarded");
  const lines = [];
  const logger = { warn: (line) => lines.push(line) };
  const refresh = async () => ({ ...connection, password: "new" });
  const terminal = await env.sdk.Orgo.connect(connection, { logger, refresh }).terminal();
  equal(terminal.state.status, "open", "the state");
  await terminal.close();
  await until("the line", () => lines.length > 0);
  equal(
    lines.join("\n"),
    "orgo-sdk: terminal of c: the password was refused: close code 4401, no; asking for a fresh one",
    "the log",
  );
}

async function outdatedPasswordIsReported(env) {
  const { connected, connection, lines } = createRun(env, "guarded");
  const error = await rejects(connected.terminal(), env.sdk.ChannelClosedError, "an outdated password");
  equal(error.cause.reason, "unauthorized", "the cause");
  ok(/a restart of the computer changes it.*`refresh` to Orgo.connect/.test(error.message), error.message);
  await until("the lines", () => lines.length === 2);
  ok(lines[1].startsWith("orgo-sdk: terminal of c: ended: the password was refused: "), lines[1]);

  const refresh = async () => {
    throw new Error("the page's server is down");
  };
  const terminal = env.sdk.Orgo.connect(connection, { refresh }).terminal({}, { maxRetries: 1 });
  const failed = await rejects(terminal, env.sdk.ChannelClosedError, "a failed password refresh");
  equal(failed.cause.reason, "unreachable", "the cause");
  equal(failed.message, "`refresh` failed: the page's server is down", "the message");
}

async function reconnectsAreLogged(env) {
  const { connected, lines } = createRun(env, "hang");
  const opening = connected.terminal({}, { timeout: 200 });
  equal((await rejects(opening, env.sdk.TimeoutError, "a channel that does not open")).limit, 200, "the limit");
  const { connection } = createRun(env, "echo");
  const log = (line) => lines.push(line);
  const unreachable = { ...connection, connection_url: env.deadUrl };
  const failing = env.sdk.Orgo.connect(unreachable, { logger: { warn: log, error: log } }).terminal({}, { maxRetries: 1 });
  await rejects(failing, env.sdk.ChannelClosedError, "a URL without a server");
  await until("the lines", () => lines.length >= 2);
  const [reconnect, end] = lines.slice(-2);
  ok(
    /^orgo-sdk: terminal of c: the computer could not be reached: .*; reconnecting in \d+ ms, attempt 1$/.test(reconnect),
    reconnect,
  );
  ok(/^orgo-sdk: terminal of c: ended: the computer could not be reached: /.test(end), end);
}

async function refusedInputIsLogged(env) {
  const { connected, lines } = createRun(env, "fragile");
  const terminal = await connected.terminal();
  ok(terminal.write("x"), "the first keystroke was refused");
  await until("the disconnect", () => terminal.state.status !== "open");
  ok(!terminal.write("y") && !terminal.write("z"), "a keystroke was accepted while the channel was disconnected");
  await until("the lines", () => lines.length >= 4);
  const [lost, reconnect, ...refused] = lines;
  equal(lost, "orgo-sdk: terminal of c: the last 1 bytes of input may not have arrived", "the line about lost input");
  ok(
    /^orgo-sdk: terminal of c: the computer could not be reached: .*; reconnecting in \d+ ms, attempt 1$/.test(reconnect),
    reconnect,
  );
  const refusal = (count) => `orgo-sdk: terminal of c: input refused: the link is down or too slow, ${count} times so far`;
  equal(refused.slice(0, 2).join("\n"), [refusal(1), refusal(2)].join("\n"), "the log");
  await terminal.close();
}

async function canceledReadsLoseNoData(env) {
  const { connected } = createRun(env, "echo");
  const terminal = await connected.terminal();
  const controller = new AbortController();
  let output = "";
  for (let turn = 0; turn < 20; turn++) {
    const read = terminal.read({ signal: controller.signal, timeout: 1 + (turn % 5) }).then(
      (text) => (output += text),
      (error) => ok(error instanceof env.sdk.TimeoutError, `${error}`),
    );
    terminal.write(`<${turn}>`);
    await read;
  }
  while (!output.includes("<19>")) output += await terminal.read({ timeout: LONG });
  equal(output, Array.from({ length: 20 }, (_, turn) => `<${turn}>`).join(""), "the output");
  await terminal.close();
}

export const limits = Object.fromEntries([
  ...aborts,
  ...waits,
  ["a response that stops ends the request before its limit", idleTimeout],
  ["a call ends at its total timeout, regardless of the limits of requests and retries", totalTimeout],
  ["a request ends at its limit, and the call is retried", requestTimeout],
  ["the steps of a call share its total timeout", stepsShareTheTotalTimeout],
  ["the timeout of the client applies to every call and opening", clientTimeoutAppliesToCalls],
  ["a server timeout in the parameters extends the timeout of the client", serverTimeoutExtendsClientTimeout],
  ["a shared signal aborts all its calls", callsShareASignal],
  ["an upload reports its progress up to its complete size", uploadReportsProgress],
  ["the limits apply to an upload with progress", uploadWithProgressHasLimits],
  ["a delay that exceeds the total timeout prevents a retry, and a shorter one is logged", retriesAreLogged],
  ["a call is retried twice, after at most one and two seconds", callsAreRetriedTwice],
  ["lines below the log level are not logged", logLevelsAreRespected],
  ["an error contains the title of an HTML page or the start of a plain text", errorsOfProxiesAreReadable],
  ["a redirect of an action is not followed", actionsAreNotRedirected],
  ["credentials and headers are not sent to another origin", credentialsStayOnTheirOrigin],
  ["the error of a refused channel contains the server's message", refusedChannelsReportTheServersMessage],
  ["a copy of a connection without its password is refused with a solution", copiesOfConnectionsAreRefused],
  ["a missing key is reported with a solution", missingKeyIsReported],
  ["a refused password is refreshed, and the channel opens", passwordIsRefreshed],
  ["without a password refresh, a channel ends with the cause and a solution", outdatedPasswordIsReported],
  ["reconnects are logged", reconnectsAreLogged],
  ["refused input is logged", refusedInputIsLogged],
  ["a canceled read loses no data", canceledReadsLoseNoData],
]);

/** Every kind of limit, with the server's mode and an operation that ends at the limit. */
const timed = {
  "a request": ["hang", ({ computer }, timeout) => computer.refresh({ timeout, maxRetries: 0 })],
  "a pause in a response, measured from the start of the call": [
    "stall",
    ({ computer }, idleTimeout) => computer.refresh({ idleTimeout, maxRetries: 0 }),
  ],
  "a whole call": ["hang", ({ computer }, totalTimeout) => computer.refresh({ totalTimeout })],
  "a computer's start": ["starting", ({ computer }, timeout) => computer.waitUntilRunning({ timeout })],
  "an opening": ["hang", ({ connected }, timeout) => connected.terminal({}, { timeout })],
  "terminal.read": ["echo", ({ channel }, timeout) => channel.read({ timeout }), ({ connected }) => connected.terminal()],
  "events.waitFor": [
    "echo",
    ({ channel }, timeout) => channel.waitFor("idle", { timeout }),
    ({ connected }) => connected.events(["idle"]),
  ],
};
const CONCURRENCY = 4;
const LIMIT = 100;

/**
 * Measures how much later than its limit an operation ends, in milliseconds, for each kind of limit.
 *
 * @param {number} count the number of measurements
 * @returns {Promise<Record<string, { median: number, worst: number }>>}
 */
export async function lateness(env, count) {
  const late = {};
  for (const [kind, [mode, start, open]] of Object.entries(timed)) {
    const run = createRun(env, mode);
    run.channel = await open?.(run);
    const times = [];
    let remaining = count;
    const worker = async () => {
      while (remaining-- > 0) {
        const began = performance.now();
        await rejects(start(run, LIMIT), env.sdk.TimeoutError, kind);
        times.push(performance.now() - began - LIMIT);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    await run.channel?.close();
    times.sort((a, b) => a - b);
    // Timers have a resolution of 1 ms.
    ok(times[0] > -2, `${kind} ended ${-times[0]} ms before its limit`);
    late[kind] = { median: times[times.length >> 1], worst: times.at(-1) };
  }
  return late;
}
