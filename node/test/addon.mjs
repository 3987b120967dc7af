// What the tests share: the addon, and calls on it with values instead of JSON text.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

// Proxies and certificates that this machine sets would come between the tests and their servers.
for (const name of ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]) {
  delete process.env[name];
  delete process.env[name.toLowerCase()];
}
for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_DIR", "SSL_CERT_FILE"]) delete process.env[name];

const libc = process.platform === "linux" ? (process.report.getReport().header.glibcVersionRuntime ? "-gnu" : "-musl") : "";
const built = fileURLToPath(
  new URL(`../../npm/dist/native/orgo.${process.platform}-${process.arch}${libc}.node`, import.meta.url),
);

/** Where the addon is: `ORGO_ADDON`, or where the package's build puts it. */
export const path = process.env.ORGO_ADDON ?? built;
if (!existsSync(path)) throw new Error(`no addon at ${path}: run "npm run build", or set ORGO_ADDON`);
export const addon = createRequire(import.meta.url)(path);

/** A client for a server on this machine. */
export function client(port, config = {}) {
  return new addon.Client(JSON.stringify({ base_url: `http://127.0.0.1:${port}/api`, api_key: "sk_live_secret", ...config }));
}

/** Begins a call. `outcome` resolves with `{ ok, value | error, bytes }`. */
export function begin(client, operation, params, options = {}, content) {
  const call = client.call(operation, JSON.stringify(params), JSON.stringify(options), content);
  const outcome = call.outcome().then(({ ok, json, bytes }) => {
    const value = JSON.parse(json);
    return ok ? { ok, value, bytes } : { ok, error: value };
  });
  return { outcome, cancel: () => call.cancel() };
}

/** The outcome of a call. */
export function call(client, operation, params, options, content) {
  return begin(client, operation, params, options, content).outcome;
}

/** The `ErrorRecord` that a function throws. */
export function thrown(act) {
  try {
    act();
  } catch (error) {
    return JSON.parse(error.message);
  }
  throw new Error("nothing was thrown");
}

/** Opens a channel to a server on this machine, with a password unless told otherwise. */
export function open(client, kind, port, options = {}, target = {}) {
  const url = `http://127.0.0.1:${port}`;
  return client[kind](
    JSON.stringify({ computer_id: "c1", connection_url: url, password: "pass", ...target }),
    JSON.stringify(options),
  );
}

/** The items of a batch with their contents in place. */
export function items({ json, text, samples }) {
  let at = 0;
  return JSON.parse(json).map(({ length, ...item }) => {
    if (length === undefined) return item;
    const [from, to] = [at, at + length];
    at = to;
    return item.type === "output" ? { ...item, data: text.slice(from, to) } : { ...item, samples: samples.slice(from, to) };
  });
}

/** Every item until one fits, or the end. */
export async function until(channel, fits) {
  const found = [];
  for (let batch = await channel.next(); batch; batch = await channel.next()) {
    const fresh = items(batch);
    found.push(...fresh);
    if (fresh.some(fits)) break;
  }
  return found;
}

/** The first state with one of these statuses. */
export async function status(channel, ...wanted) {
  for (;;) {
    const state = JSON.parse(await channel.nextState());
    if (state === null || wanted.includes(state.status)) return state;
  }
}

/** The text of a terminal until it holds `wanted`. */
export async function output(channel, wanted) {
  let text = "";
  await until(channel, (item) => {
    text += item.data ?? "";
    return text.includes(wanted);
  });
  return text;
}

/** Starts a server on a free port and ends it with the test, its connections too. */
export async function listen(test, server) {
  const sockets = new Set();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return server.address().port;
}

/** Sets variables of the environment for the time of a test. A client reads them when it is made. */
export function environment(test, variables) {
  const before = Object.keys(variables).map((name) => [name, process.env[name]]);
  Object.assign(process.env, variables);
  test.after(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}
