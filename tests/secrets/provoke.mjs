// Provokes every kind of error, every line of the log and every handle that could show a secret, in Node and in pages.
import { until } from "../support/wait.mjs";
import { SECRETS } from "./forms.mjs";

const SHORT = 100;

/**
 * @param {{ sdk: typeof import("orgo-sdk"), server: string, nowhere: string }} world the package, the URL of
 *   echo-server.mjs, and one where nobody listens
 * @returns {Promise<{ what: string, value: unknown }[]>} everything that a program could print
 */
export async function provoke({ sdk, server, nowhere }) {
  const shown = [];
  const show = (what, value) => shown.push({ what, value });
  const log = (line) => show("a line of the log", line);
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
  /** Shows what comes of `work`, which has to fail. */
  const failing = async (what, work) => {
    try {
      show(what, await work());
    } catch (error) {
      show(what, error);
      return error;
    }
    throw new Error(`${what} did not fail`);
  };
  const call = (way, act, options) => failing(`${way}: ${act}`, () => act(client(`${server}/${way}/api`, options)));

  for (const status of [400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504]) {
    await call(status, (orgo) => orgo.computers.get("c"));
    await call(status, (orgo) => orgo.computer("c").type(SECRETS.header));
  }
  await call(503, (orgo) => orgo.computers.get("c"), { maxRetries: 1 });
  for (const way of ["garbage", "misfit", "redirect", "loop", "reset"]) {
    await call(way, (orgo) => orgo.computers.vncPassword("c"));
    await call(way, (orgo) => orgo.computer("c").click({ x: 1, y: 1 }));
  }
  for (const way of ["link", "brokenlink", "lostlink"]) await call(way, (orgo) => orgo.files.bytes("f"));
  await call("hang", (orgo) => orgo.computer("c").bash("true", {}, { timeout: SHORT }));
  await call("hang", (orgo) => orgo.computer("c").screenshot({ signal: AbortSignal.abort("enough") }));
  for (const baseUrl of [nowhere, "http://nowhere.invalid/api", server.replace("http:", "https:")]) {
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
  if (password.password !== SECRETS.password) throw new Error("the password cannot be read by its name");
  // It is made to hand the password on, as JSON and in no other form.
  if (!JSON.stringify(connection).includes(JSON.stringify(SECRETS.password))) throw new Error("the connection has no password");
  show("the connection", connection);
  show("the connection, spread", { ...connection });
  await failing("a computer that is broken", () => client(`${server}/computer/broken`).computer("c").waitUntilRunning());

  const data = JSON.parse(JSON.stringify(connection));
  const connect = (way, options) => {
    const { base_url: _, instance_id: __, ...rest } = data;
    return sdk.Orgo.connect({ ...rest, connection_url: `${server}/${way}`, ...options?.data }, { ...logging, ...options?.with });
  };
  for (const way of [1008, 1011, 4000, 4003, 4004, 4008, 4010, 4011, 4401, 4404, 4500, 401, 403, 404, 500]) {
    await failing(`a socket: ${way}`, () => connect(way).terminal({}, { maxRetries: 1 }));
  }
  await failing("sound that is refused", () => connect(4401).audio());
  await failing("events that are refused", () => connect(4500).events(["idle"]));
  await failing("an outdated password that nobody knows", () => {
    const refresh = async () => Promise.reject(new Error(`no answer for ${JSON.stringify(data)}`));
    return connect(4401, { with: { refresh } }).terminal({}, { maxRetries: 0 });
  });
  for (const [name, value] of Object.entries({ version: SECRETS.password, password: "", computer_id: [SECRETS.password] })) {
    await failing(`a connection with a wrong ${name}`, async () => connect("computer", { data: { [name]: value } }));
  }
  await failing("an address that is none", () =>
    connect("computer", { data: { connection_url: `http://user:${encodeURIComponent(SECRETS.password)}@h/` } }).terminal(),
  );
  await failing("a host that is none", () =>
    connect("computer", { data: { connection_url: "http://1.2.3.999" } }).terminal({}, { maxRetries: 0 }),
  );
  await failing("nobody there", () => connect("", { data: { connection_url: nowhere } }).terminal({}, { maxRetries: 0 }));

  for (const kind of ["terminal", "audio", "events"]) {
    const connected = connect("errors");
    show("a connected computer", connected);
    const channel = await connected[kind](...(kind === "events" ? [["idle"]] : []));
    let errors = 0;
    channel.on("error", (message) => {
      errors += 1;
      show(`what the server says of an error (${kind})`, message);
    });
    channel.on("state", (state) => show(`a state (${kind})`, state));
    void channel.read().catch(() => {});
    await until("the errors", () => errors > 0);
    show(kind, channel);
    show(`the counters of ${kind}`, channel.counters);
    await failing(`${kind} that says nothing`, () => channel.read({ timeout: SHORT }));
    if (kind === "audio" && typeof document === "undefined") await failing("sound where there is none", () => channel.play());
    await channel.close();
    show(`the last state of ${kind}`, channel.state);
  }
  return shown;
}

/** Every text that a program gets from a value without asking a secret by its name. */
export function texts(value, depth = 10, seen = new Set()) {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || depth === 0 || seen.has(value)) return [String(value)];
  seen.add(value);
  const found = [String(value), Object.prototype.toString.call(value)];
  for (const key of Reflect.ownKeys(value)) {
    found.push(String(key));
    // A hidden field can be read by its name, and by nothing that goes through all of them.
    const { value: own } = Object.getOwnPropertyDescriptor(value, key);
    found.push(...texts(own, depth - 1, seen));
  }
  for (const [key, own] of Object.entries(value)) found.push(key, ...texts(own, depth - 1, seen));
  return found;
}

/** {@link texts}, and the value as JSON unless it is made to hand a secret on as that. */
export function allTexts({ sdk }, value) {
  return value instanceof sdk.Connection ? texts(value) : [...texts(value), JSON.stringify(value) ?? ""];
}
