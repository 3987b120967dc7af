// Shared by the tests: the addon, its clients, calls and channels.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

// The machine's own proxies and certificates would interfere with the servers of the tests.
for (const name of ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]) {
  delete process.env[name];
  delete process.env[name.toLowerCase()];
}
for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_DIR", "SSL_CERT_FILE"]) delete process.env[name];

const libc = process.platform === "linux" ? (process.report.getReport().header.glibcVersionRuntime ? "-gnu" : "-musl") : "";
const built = fileURLToPath(
  new URL(`../../npm/dist/native/orgo.${process.platform}-${process.arch}${libc}.node`, import.meta.url),
);

/** The path of the addon: `ORGO_ADDON`, or the output path of the package's build. */
export const path = process.env.ORGO_ADDON ?? built;
if (!existsSync(path)) throw new Error(`no addon at ${path}: run "npm run build", or set ORGO_ADDON`);
export const addon = createRequire(import.meta.url)(path);

/** The smallest PNG: one pixel. */
export const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** Creates a client for a server on the local machine. */
export function client(port, config = {}) {
  return new addon.Client({ base_url: `http://127.0.0.1:${port}/api`, api_key: "sk_live_secret", ...config });
}

/** Starts a call. `outcome` resolves with `{ ok, value | error, bytes }`. */
export function begin(client, operation, params, options = {}, content) {
  const call = client.call(operation, params, options, content);
  return { outcome: call.outcome(), cancel: () => call.cancel() };
}

/** Makes a call and returns its outcome. */
export function call(client, operation, params, options, content) {
  return begin(client, operation, params, options, content).outcome;
}

/** Returns the `ErrorRecord` that a function throws. */
export function thrown(act) {
  try {
    act();
  } catch (record) {
    return record;
  }
  throw new Error("nothing was thrown");
}

/** Opens a channel to a server on the local machine. Its password is `pass`, unless `target` has another one. */
export function open(client, kind, port, options = {}, target = {}) {
  const url = `http://127.0.0.1:${port}`;
  return client.open(kind, { computer_id: "c1", connection_url: url, password: "pass", ...target }, options);
}

/** Collects items until one matches or the channel ends. */
export async function until(channel, matches) {
  const found = [];
  for (let items = await channel.next(); items; items = await channel.next()) {
    found.push(...items);
    if (items.some(matches)) break;
  }
  return found;
}

/** Waits for the first state with one of these statuses. */
export async function status(channel, ...wanted) {
  for (;;) {
    const state = await channel.nextState();
    if (state === null || wanted.includes(state.status)) return state;
  }
}

/** Reads the output of a terminal until the text contains `wanted`. */
export async function output(channel, wanted) {
  let text = "";
  await until(channel, (item) => {
    text += item.data ?? "";
    return text.includes(wanted);
  });
  return text;
}

/** Starts a server on a free port. The server and its connections are closed when the test ends. */
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

/** Sets environment variables during a test. A client reads them when it is created. */
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
