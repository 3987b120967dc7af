// Cases that trigger every error of the package through its public API. They run in Node and in a page.

/** A timeout that no case reaches, in milliseconds. */
const LONG = 30_000;

/**
 * @typedef {object} Environment
 * @property {typeof import("orgo-sdk")} sdk
 * @property {(mode: string, options?: object) => import("orgo-sdk").Orgo} orgo creates a client for a mode of the
 *   refuser
 * @property {(mode: string) => import("orgo-sdk").ConnectedComputer} connected connects to a computer in a mode of the
 *   refuser
 */

const refused =
  (status) =>
  ({ orgo }) =>
    orgo(`refuse-${status}`).computers.get("c");
const closed =
  (code) =>
  ({ connected }) =>
    connected(`close-${code}`).terminal({}, { maxRetries: 0 });

/** A timeout within which even a slow machine sends a request, in milliseconds. */
export const LIMIT = 1000;

/**
 * Each case rejects with its error, or resolves with the cause if a channel ends without an error.
 *
 * @type {Record<string, (env: Environment) => Promise<unknown>>}
 */
export const ERROR_CASES = {
  "an invalid parameter": ({ orgo }) => orgo("good").computer("c").click({ x: -1, y: 1 }),
  "an unknown parameter": ({ orgo }) => orgo("good").computer("c").click({ x: 1, y: 1, color: "red" }),
  "an invalid option": ({ orgo }) => orgo("good").computers.get("c", { timeout: 0 }),
  "an invalid base URL": ({ orgo }) => orgo("good", { baseUrl: "nowhere" }).computers.get("c"),
  "a wait for an unknown event": async ({ connected }) => {
    const events = await connected("echo").events(["idle"]);
    return events.waitFor("nope").finally(() => events.close());
  },
  "an invalid size of a terminal": async ({ connected }) => {
    const terminal = await connected("echo").terminal();
    try {
      return terminal.resize("80", 24);
    } finally {
      await terminal.close();
    }
  },
  "an invalid option of a channel": ({ connected }) => connected("echo").terminal({ cols: 0 }),

  "a response with a field of the wrong type": ({ orgo }) => orgo("misfit").workspaces.get("w"),
  "a response without a required field": ({ orgo }) => orgo("empty").computers.get("c"),
  "a long invalid response": ({ orgo }) => orgo("long").computers.get("c"),
  "a response that is not JSON": ({ orgo }) => orgo("text").computers.get("c"),
  "a screenshot that is not an image": ({ orgo }) => orgo("text").computer("c").screenshot(),

  "a response that is too large": ({ orgo }) => orgo("good", { maxResponseBytes: 5 }).computers.get("c"),
  "a response that is too large for one call": ({ orgo }) => orgo("good").computers.get("c", { maxResponseBytes: 5 }),
  "a response that is too large after decompression": ({ orgo }) =>
    orgo("bomb", { maxResponseBytes: 100_000 }).computers.get("c"),
  "a response with a content-length that is too large": ({ orgo }) => orgo("announced").computers.get("c"),
  "a response with a content-length that is too large, with progress": ({ orgo }) =>
    orgo("announced").files.upload({ workspace_id: "w", name: "f", file: new Uint8Array(9) }, { onProgress() {} }),
  "a small response that stops and announces too much": ({ orgo }) =>
    orgo("stall-small").request({ method: "POST", path: "/x" }, { maxResponseBytes: 5 }),
  "a small response that stops and announces too much, with progress": ({ orgo }) =>
    orgo("stall-small", { maxResponseBytes: 5 }).files.upload(
      { workspace_id: "w", name: "f", file: new Uint8Array(9) },
      { onProgress() {} },
    ),
  "an endless response": ({ orgo }) => orgo("endless").computers.get("c"),
  "an endless response, with progress": ({ orgo }) =>
    orgo("endless").files.upload({ workspace_id: "w", name: "f", file: new Uint8Array(9) }, { onProgress() {} }),
  "an endless refusal": ({ orgo }) => orgo("endless-refusal", { maxResponseBytes: 5 }).computers.get("c"),
  "a refusal with control characters": ({ orgo }) => orgo("controls").computers.get("c"),
  "a header that only the client may set": ({ orgo }) => orgo("good", { headers: { "Content-Length": "5" } }).computers.get("c"),

  "a refusal with 400": refused(400),
  "a refusal with 401": refused(401),
  "a refusal with 402": refused(402),
  "a refusal with 403": refused(403),
  "a refusal with 404": refused(404),
  "a refusal with 409": refused(409),
  "a refusal with 429": refused(429),
  "a refusal with 500": refused(500),
  "an empty refusal": ({ orgo }) => orgo("silent-refusal").computers.get("c"),

  "a connection that is reset": ({ orgo }) => orgo("reset").computers.get("c"),
  "input on a closed channel": async ({ connected }) => {
    const terminal = await connected("echo").terminal();
    await terminal.close();
    return terminal.writable.getWriter().write("x");
  },

  "no response": ({ orgo }) => orgo("hang").computers.get("c", { timeout: LIMIT }),
  "a response that stops": ({ orgo }) => orgo("stall").computers.get("c", { idleTimeout: LIMIT }),
  "a small response that stops": ({ orgo }) => orgo("stall-small").computers.get("c", { idleTimeout: LIMIT }),
  "no success within the total timeout": ({ orgo }) => orgo("hang").computers.get("c", { totalTimeout: LIMIT, maxRetries: 9 }),
  "a channel that does not open": ({ connected }) => connected("hang").terminal({}, { timeout: LIMIT }),
  "no event within the timeout": async ({ connected }) => {
    const events = await connected("echo").events(["idle"]);
    return events.waitFor("idle", { timeout: LIMIT }).finally(() => events.close());
  },

  "an abort before the call": ({ orgo }) => orgo("good").computers.get("c", { signal: AbortSignal.abort("enough") }),
  "an abort during the call": ({ orgo }) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort("enough"), LIMIT);
    return orgo("hang").computers.get("c", { signal: controller.signal });
  },
  "an abort while a channel opens": ({ connected }) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort("enough"), LIMIT);
    return connected("hang").terminal({}, { signal: controller.signal });
  },

  "a normal close by the server": async ({ connected }) => {
    const terminal = await connected("leave").terminal();
    return terminal.exited;
  },
  "a normal close before the channel opens": closed(1000),
  "a shell that ends": async ({ connected }) => {
    const terminal = await connected("exit").terminal();
    await terminal.exited;
    await terminal.close();
    return terminal.state.cause;
  },
  "a server that shuts down": closed(1001),
  "a protocol violation": closed(1002),
  "another refusal": closed(1008),
  "a wrong password": closed(4401),
  "a computer that is not running": closed(4003),
  "a computer that does not exist": closed(4404),
  "a channel without input": closed(4008),
  "a view-only password": closed(4011),
  "a shell that does not start": closed(4500),
  "a computer that cannot be reached": closed(4999),
  "a message that is too large": async ({ connected }) => {
    const terminal = await connected("huge").terminal();
    return terminal.exited;
  },
  "a close reason with control characters": async ({ connected }) => {
    const terminal = await connected("rude").terminal();
    return terminal.exited;
  },
  "unread output": async ({ connected }) => {
    const terminal = await connected("flood").terminal();
    return terminal.exited;
  },

  "a computer with the status error": ({ orgo }) => orgo("broken").computer("c").waitUntilRunning(),
  "playback on a platform without audio output": async ({ connected }) => {
    const audio = await connected("echo").audio();
    return audio.play().finally(() => audio.close());
  },
};

/**
 * The cases that do not apply to a platform. The addon applies backpressure to the server, so output never exceeds the limit
 * for unread output. A page has audio output.
 */
export const NOT_APPLICABLE = {
  native: ["unread output"],
  "wasm in Node": [],
  "wasm in Chromium": ["playback on a platform without audio output"],
};

const FIELDS = [
  "name",
  "kind",
  "message",
  "delivered",
  "field",
  "path",
  "status",
  "code",
  "request_id",
  "upstream_status",
  "retry_after",
  "body",
  "limit",
  "cause",
];

/**
 * Runs a case.
 *
 * @param {typeof import("orgo-sdk")} sdk
 * @param {{ name: string, url: string }} task the name of the case, and the URL of the refuser
 * @returns {Promise<object>} the fields of the error, and the names of its class and base classes
 */
export async function trigger(sdk, { name, url }) {
  const settings = { apiKey: "sk_fault", timeout: LONG, maxRetries: 0, dangerouslyAllowBrowser: true };
  const env = {
    sdk,
    orgo: (mode, options) => new sdk.Orgo({ ...settings, baseUrl: `${url}/${mode}/api`, ...options }),
    connected(mode) {
      const connection_url = `${url}/${mode}`;
      return sdk.Orgo.connect({ version: 1, computer_id: "c", password: "p", connection_url });
    },
  };
  try {
    return { cause: await ERROR_CASES[name](env) };
  } catch (error) {
    const isPlain = (field) => !(field === "cause" && error.cause instanceof Error);
    const known = FIELDS.filter((field) => error[field] !== undefined && isPlain(field));
    const fields = known.map((field) => [field, error[field]]);
    const classes = Object.keys(sdk).filter((name) => isError(sdk, sdk[name]) && error instanceof sdk[name]);
    return { ...Object.fromEntries(fields), classes };
  }
}

/** Returns the names of the error classes of the package. */
export function errorClasses(sdk) {
  return Object.keys(sdk).filter((name) => isError(sdk, sdk[name]));
}

function isError(sdk, value) {
  return value === sdk.OrgoError || value?.prototype instanceof sdk.OrgoError;
}
