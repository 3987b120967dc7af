// What ends a call, an opening or a wait, what the log says of it, and where a fresh password comes from: told once, and
// acted out in Node through each binding and in a page. An act is a function of a world: the package, the URL of
// limits-server.mjs, one where nobody listens, and whether the platform sees how much of a request is sent.
import { equal, ok, rejects } from "../scenarios/check.mjs";
import { until } from "../support/wait.mjs";

/** Nothing here takes as long as this; what does not end by itself ends the test. */
const LONG = 30_000;
/** A limit, in milliseconds, within which a slow machine too has sent its request. */
const SENT = 600;

let runs = 0;

/** More than the buffers between a client and a server hold. */
const LARGE = { workspace_id: "w", name: "f", file: new Uint8Array(32 << 20) };

/** A run of its own against the server: a client, a connection, and what the server saw of them. */
function begin({ sdk, server }, way, options = {}) {
  runs += 1;
  const run = `${Date.now()}-${runs}`;
  const lines = [];
  const progress = [];
  const log = (line) => lines.push(line);
  const logger = { debug: log, info: log, warn: log, error: log };
  const settings = { apiKey: "sk_secret", timeout: LONG, dangerouslyAllowBrowser: true, logger, ...options };
  const orgo = new sdk.Orgo({ ...settings, baseUrl: `${server}/${way}/${run}/api` });
  const connection = { version: 1, computer_id: "c", connection_url: `${server}/${way}/${run}`, password: "old" };
  return {
    orgo,
    lines,
    progress,
    onProgress: (made) => progress.push(made),
    connection,
    computer: orgo.computer("c"),
    connected: sdk.Orgo.connect(connection, { logger }),
    seen: async () => (await fetch(`${server}/seen/${run}`)).json(),
    drink: () => fetch(`${server}/drink/${run}`),
  };
}

/** What can be given up: how it begins, when it has come to what it waits for, and what of it is freed. */
const abortable = {
  "a call that was sent": {
    way: "hang",
    start: ({ computer }, options) => computer.click({ x: 1, y: 1 }, options),
    reached: ({ requests }) => requests === 1,
    freed: ({ given_up }) => given_up === 1,
    delivered: "maybe",
  },
  "an answer that has begun": {
    way: "stall",
    start: ({ computer }, options) => computer.refresh(options),
    reached: ({ requests }) => requests === 1,
    freed: ({ given_up }) => given_up === 1,
    delivered: "maybe",
  },
  "the wait before a retry": {
    way: "later",
    start: ({ computer }, options) => computer.refresh(options),
    reached: (_, { lines }) => lines.length === 1,
    freed: ({ requests, given_up }) => requests === 1 && given_up === 0,
    delivered: "maybe",
  },
  "the wait for a computer": {
    way: "starting",
    start: ({ computer }, options) => computer.waitUntilRunning(options),
    reached: ({ requests }) => requests === 2,
    freed: ({ given_up }) => given_up === 0,
    delivered: "no",
  },
  "an upload": {
    way: "hang",
    start: ({ orgo }, options) => orgo.files.upload({ workspace_id: "w", name: "f", file: new Uint8Array(8 << 20) }, options),
    reached: ({ requests }) => requests === 1,
    freed: ({ given_up }) => given_up === 1,
    delivered: "maybe",
  },
  "an upload that tells how far it is": {
    way: "hang",
    start: ({ orgo, onProgress }, options) => orgo.files.upload(LARGE, { ...options, onProgress }),
    reached: ({ requests }) => requests === 1,
    freed: ({ given_up }) => given_up === 1,
    delivered: "maybe",
  },
  "the reading of a file that is to be uploaded": {
    way: "hang",
    start: ({ orgo }, options) => {
      const file = { type: "text/plain", name: "f", arrayBuffer: () => new Promise(() => {}) };
      return orgo.files.upload({ workspace_id: "w", file }, options);
    },
    reached: () => true,
    freed: ({ requests }) => requests === 0,
    delivered: "no",
  },
  "a download": {
    way: "linked",
    start: ({ orgo }, options) => orgo.files.bytes("f", options),
    reached: ({ requests }) => requests === 2,
    freed: ({ given_up }) => given_up === 1,
    delivered: "yes",
  },
  "an opening without an answer": {
    way: "hang",
    start: ({ connected }, options) => connected.terminal({}, options),
    reached: ({ sockets }) => sockets === 1,
    freed: ({ closed }) => closed === 1,
    delivered: "maybe",
  },
  "an opening of sound without an answer": {
    way: "hang",
    start: ({ connected }, options) => connected.audio({}, options),
    reached: ({ sockets }) => sockets === 1,
    freed: ({ closed }) => closed === 1,
    delivered: "maybe",
  },
  "an opening without a word": {
    way: "mute",
    start: ({ connected }, options) => connected.events(["idle"], options),
    reached: ({ sockets }) => sockets === 1,
    freed: ({ closed }) => closed === 1,
    delivered: "maybe",
  },
  "the asking for a password": {
    way: "hang",
    start: ({ computer }, options) => computer.terminal({}, options),
    reached: ({ requests }) => requests === 1,
    freed: ({ given_up }) => given_up === 1,
    delivered: "maybe",
  },
};

/** What waits on an open channel, which stays open. */
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

/** The error of what is given up; its reason is the one that was given. */
async function givenUp({ sdk }, controller, given, what) {
  const reason = { why: what };
  controller.abort(reason);
  const error = await rejects(given, sdk.AbortError, what);
  ok(error.reason === reason && error.cause === reason, `${what}: the reason`);
  equal(error.kind, "aborted", `${what}: the kind`);
  return error;
}

const aborts = Object.entries(abortable).map(([what, { way, start, reached, freed, delivered }]) => [
  `${what} is given up`,
  async (world) => {
    const run = begin(world, way);
    const controller = new AbortController();
    const given = start(run, { signal: controller.signal });
    given.catch(() => {});
    await until("it to come that far", async () => reached(await run.seen(), run));
    const error = await givenUp(world, controller, given, what);
    equal(error.delivered, delivered, `${what}: whether it was delivered`);
    await until("the connection to be free", async () => freed(await run.seen()));

    const before = await run.seen();
    const over = new AbortController();
    over.abort();
    await rejects(start(run, { signal: over.signal }), world.sdk.AbortError, `${what}, given up before it began`);
    const { requests, sockets } = await run.seen();
    equal(requests + sockets, before.requests + before.sockets, `${what}: what was sent when it was given up before`);
  },
]);

const waits = Object.entries(waiting).map(([what, { open, wait }]) => [
  `${what} ends by its signal and its time, and the channel goes on`,
  async (world) => {
    const { connected } = begin(world, "echo");
    const channel = await open(connected);
    const controller = new AbortController();
    const given = wait(channel, { signal: controller.signal });
    given.catch(() => {});
    const error = await givenUp(world, controller, given, what);
    equal(error.delivered, "no", "whether it was delivered");
    const late = await rejects(wait(channel, { timeout: 20 }), world.sdk.TimeoutError, what);
    equal(late.limit, 20, "the limit");
    ok(late.message.startsWith(`${what}: `), late.message);
    const refused = await rejects(wait(channel, { timeout: 0 }), world.sdk.InvalidParameterError, what);
    equal(refused.field, "timeout", "the field");
    equal(channel.state.status, "open", "the state");
    await channel.close();
  },
]);

async function stoppedAnswer(world) {
  const { computer } = begin(world, "stall");
  const error = await rejects(computer.refresh({ idleTimeout: 200, maxRetries: 0 }), world.sdk.TimeoutError, "it stops");
  equal(error.limit, 200, "the limit");
  ok(error.message.includes("stopped for"), error.message);
}

async function wholeLimit(world) {
  const { computer, orgo } = begin(world, "hang");
  const options = { timeout: LONG, totalTimeout: SENT, maxRetries: 5 };
  const error = await rejects(computer.refresh(options), world.sdk.TimeoutError, "it hangs");
  equal(error.limit, SENT, "the limit");
  equal(error.delivered, "maybe", "whether it was delivered");
  const file = { type: "text/plain", name: "f", arrayBuffer: () => new Promise(() => {}) };
  const upload = orgo.files.upload({ workspace_id: "w", file }, { totalTimeout: 50 });
  ok((await rejects(upload, world.sdk.TimeoutError, "a file that is not read")).message.includes("not read"), "its text");
}

async function requestLimit(world) {
  const { computer, seen } = begin(world, "hang");
  const error = await rejects(computer.refresh({ timeout: SENT, maxRetries: 1 }), world.sdk.TimeoutError, "it hangs");
  equal(error.limit, SENT, "the limit");
  equal((await seen()).requests, 2, "the requests: a read is sent again");
}

async function stepsShareTheLimit(world) {
  const { computer, seen } = begin(world, "slowly");
  const ended = [];
  const note = (what) => (error) => {
    ended.push(what);
    throw error;
  };
  // Of a limit for each of its two requests the upload would take 1500 ms.
  const later = begin(world, "hang").computer.refresh({ totalTimeout: 1250 }).catch(note("a call that is limited to 1250 ms"));
  const upload = computer.files.upload(new Uint8Array(1), { name: "f" }, { totalTimeout: 1000 }).catch(note("the upload"));
  later.catch(() => {});
  const error = await rejects(upload, world.sdk.TimeoutError, "an upload that first has to look up its workspace");
  equal(error.limit, 1000, "the limit");
  await rejects(later, world.sdk.TimeoutError, "a call beside it");
  equal((await seen()).requests, 2, "the requests");
  equal(ended[0], "the upload", "what ended first");
}

async function uploadIsFollowed(world) {
  const { orgo, progress, onProgress, drink, seen } = begin(world, "thirsty");
  const total = LARGE.file.length;
  const uploaded = orgo.files.upload(LARGE, { onProgress });
  await until("the request", async () => (await seen()).requests === 1);
  if (world.seesSending) await until("the first progress", () => progress.length > 0);
  ok(
    progress.every(({ loaded }) => loaded < total),
    `all is said to be sent, and nobody has read: ${JSON.stringify(progress)}`,
  );
  await drink();
  await uploaded;
  const told = progress.length;
  equal(progress.at(-1)?.loaded, total, "how far it is at last");
  ok(
    progress.every(({ loaded }, index) => index === 0 || loaded > progress[index - 1].loaded),
    JSON.stringify(progress),
  );
  ok(
    progress.every((made) => made.total === total),
    "the size of the file",
  );
  ok(told > 1 || !world.seesSending, `what was told: ${JSON.stringify(progress)}`);
  await orgo.workspaces.list().catch(() => {});
  equal(progress.length, told, "what was told after the end");
}

async function watchedUploadEndsWithItsLimits(world) {
  const { orgo, progress, onProgress, drink, seen } = begin(world, "thirsty");
  const upload = orgo.files.upload(LARGE, { timeout: SENT, maxRetries: 2, onProgress });
  const error = await rejects(upload, world.sdk.TimeoutError, "a server that does not read");
  equal(error.limit, SENT, "the limit");
  equal(error.delivered, "maybe", "whether it was delivered");
  ok(
    progress.every(({ loaded, total }) => loaded < total),
    JSON.stringify(progress),
  );
  const told = progress.length;
  // Only who reads on learns of the end.
  await drink();
  await until("the connection to be free", async () => (await seen()).given_up === 1);
  equal(progress.length, told, "what was told after the end");
  equal((await seen()).requests, 1, "the requests: an upload that may have arrived is not sent again");

  const stalled = begin(world, "stall").orgo.files.upload(
    { ...LARGE, file: new Uint8Array(9) },
    { idleTimeout: 200, onProgress },
  );
  equal((await rejects(stalled, world.sdk.TimeoutError, "an answer that stops")).limit, 200, "the limit of a pause");
}

/** What waits for the computer, without a server limit that the caller names. */
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
  "a command with a shorter limit": (computer) => computer.bash("make", { timeout: 1 }, { timeout: SENT }),
  terminal: (computer) => computer.terminal(),
  audio: (computer) => computer.audio(),
  events: (computer) => computer.events(["idle"]),
  connection: (computer) => computer.connection(),
};

async function clientLimitBoundsCalls(world) {
  const { computer } = begin(world, "hang", { timeout: SENT, maxRetries: 0 });
  await Promise.all(
    Object.entries(hanging).map(async ([what, call]) => {
      const error = await rejects(call(computer), world.sdk.TimeoutError, what);
      equal(error.limit, SENT, `the limit of ${what}`);
    }),
  );
}

async function namedServerLimitGoesBeyond(world) {
  const { computer } = begin(world, "hang", { timeout: SENT, maxRetries: 0 });
  const controller = new AbortController();
  const { signal } = controller;
  const named = [
    computer.bash("make", { timeout: 60 }, { signal }),
    computer.exec("q", { timeout: 60 }, { signal }),
    computer.drag({ start_x: 0, start_y: 0, end_x: 1, end_y: 1, duration: 60 }, { signal }),
    computer.wait(60, { signal }),
  ];
  const ended = named.map((call) => call.catch((error) => error));
  await rejects(computer.click({ x: 1, y: 1 }), world.sdk.TimeoutError, "a call beside them");
  controller.abort();
  for (const error of await Promise.all(ended)) ok(error instanceof world.sdk.AbortError, `it ended before: ${error.message}`);
}

async function refusalsOfOthersAreRead(world) {
  for (const [way, said] of [
    ["page", /^computers\.click: 502 Bad Gateway$/],
    ["text", /^computers\.click: 503 no healthy upstream for Bearer \*\*\* x+…$/],
  ]) {
    const { computer } = begin(world, way);
    const error = await rejects(computer.click({ x: 1, y: 1 }), world.sdk.ServerError, way);
    ok(said.test(error.message), error.message);
    ok(error.message.length < 300, `the length of ${error.message}`);
    ok(!error.body.includes("sk_secret"), error.body);
  }
}

async function redirectsOfActionsAreNotFollowed(world) {
  const acts = [(computer) => computer.click({ x: 1, y: 1 }), (computer) => computer.type("x"), (computer) => computer.delete()];
  for (const act of acts) {
    // A page does not see that it was a redirect alone, and would repeat what may be repeated.
    const { computer, seen } = begin(world, "moved", { maxRetries: 0 });
    const error = await rejects(act(computer), world.sdk.OrgoError, `${act}`);
    ok(/the server redirects this call/.test(error.message), error.message);
    equal(error.delivered, "maybe", `${act} was delivered`);
    equal((await seen()).requests, 1, `requests of ${act}`);
  }
  const { orgo, seen } = begin(world, "moved");
  equal((await orgo.computers.get("c")).id, "c", "what a read is redirected to");
  equal((await seen()).requests, 2, "requests of a read");
}

async function refusedChannelsSayWhy(world) {
  const connected = world.sdk.Orgo.connect({ ...begin(world, "dislikes").connection, password: "hunter2" });
  const openings = {
    terminal: () => connected.terminal(),
    audio: () => connected.audio({ sample_rate: 44_101 }),
    events: () => connected.events(["idle"]),
  };
  for (const [what, open] of Object.entries(openings)) {
    const error = await rejects(open(), world.sdk.ChannelClosedError, what);
    equal(`${error.cause.reason} ${error.cause.code}`, "failed 4500", what);
    ok(error.message.includes(`sample_rate ${what === "audio" ? 44101 : null} is not supported (token ***`), error.message);
    ok(!error.message.includes("hunter2") && error.message.length < 500, error.message);
  }
}

async function callsShareASignal(world) {
  const { computer } = begin(world, "hang");
  const controller = new AbortController();
  const calls = Array.from({ length: 12 }, () => computer.click({ x: 1, y: 1 }, { signal: controller.signal }));
  for (const call of calls) call.catch(() => {});
  await world.sdk.Orgo.bindingInfo();
  const reason = new Error("enough");
  controller.abort(reason);
  for (const call of calls) ok((await rejects(call, world.sdk.AbortError, "a call")).reason === reason, "the reason");
}

async function copiesOfConnections(world) {
  const connection = new world.sdk.Connection(begin(world, "echo").connection);
  for (const copy of [structuredClone(connection), { ...connection }]) {
    let error;
    try {
      world.sdk.Orgo.connect(copy);
    } catch (thrown) {
      error = thrown;
    }
    ok(error instanceof world.sdk.InvalidParameterError && error.message.includes("toJSON()"), String(error));
  }
  for (const whole of [
    connection,
    connection.toJSON(),
    structuredClone(connection.toJSON()),
    JSON.parse(JSON.stringify(connection)),
  ]) {
    const terminal = await world.sdk.Orgo.connect(whole).terminal();
    await terminal.close();
  }
}

async function retriesAreTold(world) {
  const { computer, lines } = begin(world, "slow");
  const error = await rejects(computer.click({ x: 1, y: 1 }), world.sdk.RateLimitError, "it is too much");
  equal(error.retry_after, 3600, "the wait beyond the whole limit, which is not begun");
  await until("the line", () => lines.length > 0);
  equal(lines.join("\n"), "orgo-sdk: computers.click: 429 slow down; retrying in 0 ms (1 of 2), request id req_1", "the log");
}

async function retriesAreTwo(world) {
  const { computer, lines, seen } = begin(world, "soon", { logLevel: "debug" });
  const error = await rejects(computer.refresh(), world.sdk.ServerError, "it is busy");
  equal(error.request_id, "req_1", "the request id");
  equal((await seen()).requests, 3, "the requests");
  await until("the lines", () => lines.length === 3);
  const again = (retry, longest) => {
    const [, wait] =
      new RegExp(`^orgo-sdk: computers.get: 503 busy; retrying in (\\d+) ms \\(${retry} of 2\\), request id req_1$`).exec(
        lines[retry - 1],
      ) ?? [];
    ok(Number(wait) <= longest, `the wait before retry ${retry}: ${lines[retry - 1]}`);
  };
  again(1, 1000);
  again(2, 2000);
  ok(/^orgo-sdk: computers.get: 503 busy; \d+ ms, 3 requests, request id req_1$/.test(lines[2]), lines[2]);
}

async function levelsAreKept(world) {
  const quiet = begin(world, "soon", { logLevel: "warn" });
  await rejects(quiet.computer.refresh({ maxRetries: 1 }), world.sdk.ServerError, "it is busy");
  equal(quiet.lines.length, 0, "lines of a call that is below the level");
  const off = begin(world, "slow", { logLevel: "off" });
  await rejects(off.computer.refresh(), world.sdk.RateLimitError, "it is too much");
  equal(off.lines.length, 0, "lines where there is no log");
}

async function missingKeyIsSaid(world) {
  const { computer } = begin(world, "keyless", { apiKey: undefined });
  const error = await rejects(computer.refresh(), world.sdk.AuthenticationError, "a call without a key");
  equal(
    error.message,
    "computers.get: 401 Missing API key (no API key was sent: give the client an `apiKey`, or in Node set ORGO_API_KEY)",
    "the text",
  );
  const terminal = computer.terminal();
  const cause = (await rejects(terminal, world.sdk.ChannelClosedError, "a channel without a key and a password")).cause;
  equal(cause.reason, "unauthorized", "the cause");
  ok(cause.message.includes("no API key"), cause.message);

  const refused = begin(world, "keyless").computer.terminal();
  const { message } = await rejects(refused, world.sdk.ChannelClosedError, "a channel with a key that is refused");
  equal(
    message,
    "the password was refused: computers.get: 401 Missing API key, request id req_1",
    "the text of a channel whose password cannot be had",
  );
}

async function passwordIsRefreshed(world) {
  const { connection } = begin(world, "guarded");
  const lines = [];
  const logger = { warn: (line) => lines.push(line) };
  const refresh = async () => ({ ...connection, password: "new" });
  const terminal = await world.sdk.Orgo.connect(connection, { logger, refresh }).terminal();
  equal(terminal.state.status, "open", "the state");
  await terminal.close();
  await until("the line", () => lines.length > 0);
  equal(
    lines.join("\n"),
    "orgo-sdk: terminal of c: the password was refused: close code 4401, no; asking for a fresh one",
    "the log",
  );
}

async function outdatedPasswordIsSaid(world) {
  const { connected, connection, lines } = begin(world, "guarded");
  const error = await rejects(connected.terminal(), world.sdk.ChannelClosedError, "a password that is outdated");
  equal(error.cause.reason, "unauthorized", "the cause");
  ok(/a restart of the computer changes it.*`refresh` to Orgo.connect/.test(error.message), error.message);
  await until("the lines", () => lines.length === 2);
  ok(lines[1].startsWith("orgo-sdk: terminal of c: ended: the password was refused: "), lines[1]);

  const refresh = async () => {
    throw new Error("the page's server is down");
  };
  const terminal = world.sdk.Orgo.connect(connection, { refresh }).terminal({}, { maxRetries: 1 });
  const failed = await rejects(terminal, world.sdk.ChannelClosedError, "a question that is not answered");
  equal(failed.cause.reason, "unreachable", "the cause");
  ok(failed.message.includes("the page's server is down"), failed.message);
}

async function redialsAreTold(world) {
  const { connected, lines } = begin(world, "hang");
  const opening = connected.terminal({}, { timeout: 200 });
  equal((await rejects(opening, world.sdk.TimeoutError, "it does not open")).limit, 200, "the limit");
  const { connection } = begin(world, "echo");
  const log = (line) => lines.push(line);
  const nowhere = { ...connection, connection_url: world.nowhere };
  const failing = world.sdk.Orgo.connect(nowhere, { logger: { warn: log, error: log } }).terminal({}, { maxRetries: 1 });
  await rejects(failing, world.sdk.ChannelClosedError, "nobody is there");
  await until("the lines", () => lines.length >= 2);
  const [redial, end] = lines.slice(-2);
  ok(/^orgo-sdk: terminal of c: the computer could not be reached: .*; reconnecting in \d+ ms, attempt 1$/.test(redial), redial);
  ok(/^orgo-sdk: terminal of c: ended: the computer could not be reached: /.test(end), end);
}

async function refusedKeystrokesAreTold(world) {
  const { connected, lines } = begin(world, "fragile");
  const terminal = await connected.terminal();
  ok(terminal.write("x"), "the first keystroke was refused");
  await until("the link to break", () => terminal.state.status !== "open");
  ok(!terminal.write("y") && !terminal.write("z"), "a keystroke was taken while the link was down");
  await until("the lines", () => lines.length >= 4);
  const [lost, redial, ...refused] = lines;
  equal(lost, "orgo-sdk: terminal of c: the last 1 bytes of input may not have arrived", "what may be lost");
  ok(/^orgo-sdk: terminal of c: the computer could not be reached: .*; reconnecting in \d+ ms, attempt 1$/.test(redial), redial);
  const refusal = (count) => `orgo-sdk: terminal of c: input refused: the link is down or too slow, ${count} times so far`;
  equal(refused.slice(0, 2).join("\n"), [refusal(1), refusal(2)].join("\n"), "the log");
  await terminal.close();
}

async function abandonedReadLosesNothing(world) {
  const { connected } = begin(world, "echo");
  const terminal = await connected.terminal();
  const controller = new AbortController();
  let said = "";
  for (let turn = 0; turn < 20; turn++) {
    const read = terminal.read({ signal: controller.signal, timeout: 1 + (turn % 5) }).then(
      (text) => (said += text),
      (error) => ok(error instanceof world.sdk.TimeoutError, `${error}`),
    );
    terminal.write(`<${turn}>`);
    await read;
  }
  while (!said.includes("<19>")) said += await terminal.read({ timeout: LONG });
  equal(said, Array.from({ length: 20 }, (_, turn) => `<${turn}>`).join(""), "what was read");
  await terminal.close();
}

export const limits = Object.fromEntries([
  ...aborts,
  ...waits,
  ["an answer that stops is given up before the request's own limit", stoppedAnswer],
  ["a call ends with its whole limit, whatever its requests and retries may take", wholeLimit],
  ["a request ends with its own limit, and the call goes on", requestLimit],
  ["the steps of one call share its whole limit", stepsShareTheLimit],
  ["a limit of the client bounds every call and opening", clientLimitBoundsCalls],
  ["a server limit that a call names goes beyond the client's", namedServerLimitGoesBeyond],
  ["calls that share a signal end with it", callsShareASignal],
  ["an upload tells how far it is, and ends whole", uploadIsFollowed],
  ["an upload that tells how far it is ends with its limits", watchedUploadEndsWithItsLimits],
  ["a wait beyond the whole limit is not begun, and a shorter one is told to the log", retriesAreTold],
  ["a call is sent again twice, after at most one and two seconds", retriesAreTwo],
  ["what matters less than the level is not told", levelsAreKept],
  ["the title of a page and the first words of a text are the reason of a refusal", refusalsOfOthersAreRead],
  ["an action that is redirected is not made again as another request", redirectsOfActionsAreNotFollowed],
  ["a channel that is refused says the server's words", refusedChannelsSayWhy],
  ["a copy of a connection without its password says what to do", copiesOfConnections],
  ["a missing key is said, with the remedy", missingKeyIsSaid],
  ["a refused password is asked for, and the channel goes on", passwordIsRefreshed],
  ["without an answer for the password a channel ends with the cause and the remedy", outdatedPasswordIsSaid],
  ["reconnects are told to the log", redialsAreTold],
  ["refused keystrokes are told to the log", refusedKeystrokesAreTold],
  ["a read that was given up loses nothing", abandonedReadLosesNothing],
]);

/** Each kind of limit: what ends by it. */
const timed = {
  "a request": ["hang", ({ computer }, timeout) => computer.refresh({ timeout, maxRetries: 0 })],
  "a pause in an answer, from the beginning of the call": [
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
const AT_ONCE = 4;
const LIMIT = 100;

/**
 * By how many milliseconds each kind of limit is passed.
 *
 * @param {number} count how often
 * @returns {Promise<Record<string, { median: number, worst: number }>>}
 */
export async function lateness(world, count) {
  const late = {};
  for (const [kind, [way, start, open]] of Object.entries(timed)) {
    const run = begin(world, way);
    run.channel = await open?.(run);
    const times = [];
    let left = count;
    const worker = async () => {
      while (left-- > 0) {
        const began = performance.now();
        await rejects(start(run, LIMIT), world.sdk.TimeoutError, kind);
        times.push(performance.now() - began - LIMIT);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await run.channel?.close();
    times.sort((a, b) => a - b);
    // Timers count whole milliseconds.
    ok(times[0] > -2, `${kind} ended ${-times[0]} ms before its limit`);
    late[kind] = { median: times[times.length >> 1], worst: times.at(-1) };
  }
  return late;
}
