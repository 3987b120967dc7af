// Provokes every kind of error and log line. Collects the errors, the log lines and all objects that could contain a
// secret. Runs in Node and in pages.
import { until } from "../support/wait.mjs";
import { SECRETS } from "./forms.mjs";

const SHORT = 100;

/**
 * @param {{ sdk: typeof import("orgo-sdk"), server: string, deadUrl: string }} env the package, the URL of
 *   echo-server.mjs, and a URL without a server
 * @returns {Promise<{ what: string, value: unknown }[]>} all values that a program could print
 */
export async function provoke({ sdk, server, deadUrl }) {
  const values = [];
  const show = (what, value) => values.push({ what, value });
  const log = (line) => show("a log line", line);
  const logging = { logger: { error: log, warn: log, info: log, debug: log }, logLevel: "debug" };
  const client = (baseUrl, options = {}) =>
    new sdk.Orgo({
      apiKey: SECRETS.apiKey,
      headers: { "x-gateway-key": SECRETS.header },
      dangerouslyAllowBrowser: true,
      maxRetries: 0,
      baseUrl,
      ...logging,
      ...options,
    });
  /** Runs `action`, which must fail, and records its error. */
  const failing = async (what, action) => {
    try {
      show(what, await action());
    } catch (error) {
      show(what, error);
      return error;
    }
    throw new Error(`${what} did not fail`);
  };
  const call = (mode, action, options) => failing(`${mode}: ${action}`, () => action(client(`${server}/${mode}/api`, options)));

  for (const status of [400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504]) {
    await call(status, (orgo) => orgo.computers.get("c"));
    await call(status, (orgo) => orgo.computer("c").type(SECRETS.header));
  }
  await call(503, (orgo) => orgo.computers.get("c"), { maxRetries: 1 });
  for (const mode of ["garbage", "misfit", "redirect", "loop", "reset"]) {
    await call(mode, (orgo) => orgo.computers.vncPassword("c"));
    await call(mode, (orgo) => orgo.computer("c").click({ x: 1, y: 1 }));
  }
  for (const mode of ["link", "brokenlink", "deadlink"]) await call(mode, (orgo) => orgo.files.bytes("f"));
  await call("hang", (orgo) => orgo.computer("c").bash("true", {}, { timeout: SHORT }));
  await call("hang", (orgo) => orgo.computer("c").screenshot({ signal: AbortSignal.abort("enough") }));
  for (const baseUrl of [deadUrl, "http://unknown.invalid/api", server.replace("http:", "https:")]) {
    await failing(baseUrl, () => client(baseUrl).computers.get("c"));
    await failing(baseUrl, () => client(baseUrl, { timeout: 5_000 }).computer("c").terminal({}, { maxRetries: 0 }));
  }

  const wrong = {
    apiKey: `${SECRETS.apiKey}\n`,
    headers: { "x-gateway-key": `${SECRETS.header}\n` },
    baseUrl: `http://user:${encodeURIComponent(SECRETS.password)}@127.0.0.1/api`,
    realtimeUrl: `ws://127.0.0.1/?token=${encodeURIComponent(SECRETS.password)}`,
    timeout: SECRETS.password,
  };
  for (const [name, value] of Object.entries(wrong)) {
    await failing(`a wrong ${name}`, async () => client(server, { [name]: value }).computers.get("c"));
  }
  await failing("a wrong parameter", () => client(server).computer("c").click({ x: -1, y: 1 }));

  const orgo = client(`${server}/computer/api`);
  const computer = await orgo.computers.get("c");
  const password = await orgo.computers.vncPassword("c");
  const connection = await computer.connection();
  const workspace = await orgo.workspaces.get("w");
  for (const [what, value] of Object.entries({ orgo, computer, password, workspace, info: computer.info })) show(what, value);
  if (password.password !== SECRETS.password) throw new Error("the field `password` does not contain the password");
  // A connection contains the password only when it is serialized with `JSON.stringify`.
  if (!JSON.stringify(connection).includes(JSON.stringify(SECRETS.password))) throw new Error("the connection has no password");
  show("the connection", connection);
  show("the connection, spread", { ...connection });
  await failing("a computer with the status error", () => client(`${server}/computer/broken`).computer("c").waitUntilRunning());

  const data = JSON.parse(JSON.stringify(connection));
  const connect = (mode, options) => {
    const { base_url: _, instance_id: __, ...rest } = data;
    return sdk.Orgo.connect({ ...rest, connection_url: `${server}/${mode}`, ...options?.data }, { ...logging, ...options?.with });
  };
  for (const mode of [1008, 1011, 4000, 4003, 4004, 4008, 4010, 4011, 4401, 4404, 4500, 401, 403, 404, 500]) {
    await failing(`a socket: ${mode}`, () => connect(mode).terminal({}, { maxRetries: 1 }));
  }
  await failing("refused audio", () => connect(4401).audio());
  await failing("refused events", () => connect(4500).events(["idle"]));
  await failing("an outdated password without a refresh", () => {
    const refresh = async () => Promise.reject(new Error(`no password for ${JSON.stringify(data)}`));
    return connect(4401, { with: { refresh } }).terminal({}, { maxRetries: 0 });
  });
  for (const [name, value] of Object.entries({ version: SECRETS.password, password: "", computer_id: [SECRETS.password] })) {
    await failing(`a connection with a wrong ${name}`, async () => connect("computer", { data: { [name]: value } }));
  }
  await failing("an invalid URL", () =>
    connect("computer", { data: { connection_url: `http://user:${encodeURIComponent(SECRETS.password)}@h/` } }).terminal(),
  );
  await failing("an invalid host", () =>
    connect("computer", { data: { connection_url: "http://1.2.3.999" } }).terminal({}, { maxRetries: 0 }),
  );
  await failing("a URL without a server", () =>
    connect("", { data: { connection_url: deadUrl } }).terminal({}, { maxRetries: 0 }),
  );

  for (const kind of ["terminal", "audio", "events"]) {
    const connected = connect("errors");
    show("a connected computer", connected);
    const channel = await connected[kind](...(kind === "events" ? [["idle"]] : []));
    let errors = 0;
    channel.on("error", (message) => {
      errors += 1;
      show(`an error message of the server (${kind})`, message);
    });
    channel.on("state", (state) => show(`a state (${kind})`, state));
    void channel.read().catch(() => {});
    await until("the errors", () => errors > 0);
    show(kind, channel);
    show(`the counters of ${kind}`, channel.counters);
    await failing(`${kind} without messages`, () => channel.read({ timeout: SHORT }));
    if (kind === "audio" && typeof document === "undefined") await failing("playback in Node", () => channel.play());
    await channel.close();
    show(`the last state of ${kind}`, channel.state);
  }
  return values;
}

/** Returns all strings that a program can get from a value without reading a secret field by its name. */
export function texts(value, depth = 10, seen = new Set()) {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || depth === 0 || seen.has(value)) return [String(value)];
  seen.add(value);
  const found = [String(value), Object.prototype.toString.call(value)];
  for (const key of Reflect.ownKeys(value)) {
    found.push(String(key));
    // Does not call getters, because a program must know the name of a hidden field to read it.
    const { value: own } = Object.getOwnPropertyDescriptor(value, key);
    found.push(...texts(own, depth - 1, seen));
  }
  for (const [key, own] of Object.entries(value)) found.push(key, ...texts(own, depth - 1, seen));
  return found;
}

/** Returns {@link texts} and the value as JSON. Omits the JSON of a connection, which contains the password by design. */
export function allTexts({ sdk }, value) {
  return value instanceof sdk.Connection ? texts(value) : [...texts(value), JSON.stringify(value) ?? ""];
}
