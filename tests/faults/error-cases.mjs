// Every error of the package, provoked through its public API. It runs in Node and in a page.

/** Long enough for everything that does not end by itself here. */
const LONG = 30_000;

/**
 * @typedef {object} World
 * @property {typeof import("orgo-sdk")} sdk
 * @property {(way: string, options?: object) => import("orgo-sdk").Orgo} orgo a client of the server that fails in that way
 * @property {(way: string) => import("orgo-sdk").ConnectedComputer} connected the channels of such a computer
 */

const refused =
  (status) =>
  ({ orgo }) =>
    orgo(`refuse-${status}`).computers.get("c");
const closed =
  (code) =>
  ({ connected }) =>
    connected(`close-${code}`).terminal({}, { maxRetries: 0 });

/**
 * What makes each error. It rejects with it, or resolves with the cause of a channel's end that is no error.
 *
 * @type {Record<string, (world: World) => Promise<unknown>>}
 */
export const PROVOCATIONS = {
  "a parameter out of its range": ({ orgo }) => orgo("good").computer("c").click({ x: -1, y: 1 }),
  "a parameter that is not known": ({ orgo }) => orgo("good").computer("c").click({ x: 1, y: 1, colour: "red" }),
  "an option out of its range": ({ orgo }) => orgo("good").computers.get("c", { timeout: 0 }),
  "an address that is none": ({ orgo }) => orgo("good", { baseUrl: "nowhere" }).computers.get("c"),
  "an option of a channel out of its range": ({ connected }) => connected("echo").terminal({ cols: 0 }),

  "an answer with a wrong field": ({ orgo }) => orgo("misfit").workspaces.get("w"),
  "an answer without a needed field": ({ orgo }) => orgo("empty").computers.get("c"),
  "an answer that is long and wrong": ({ orgo }) => orgo("long").computers.get("c"),
  "an answer that is not JSON": ({ orgo }) => orgo("text").computers.get("c"),
  "a screenshot that is no picture": ({ orgo }) => orgo("text").computer("c").screenshot(),

  "a response that is too large": ({ orgo }) => orgo("good", { maxResponseBytes: 5 }).computers.get("c"),
  "a response that is too large for one call": ({ orgo }) => orgo("good").computers.get("c", { maxResponseBytes: 5 }),
  "a response that is too large once it is decompressed": ({ orgo }) =>
    orgo("bomb", { maxResponseBytes: 100_000 }).computers.get("c"),
  "a response that announces too much": ({ orgo }) => orgo("announced").computers.get("c"),
  "a response that announces too much, to an upload that is watched": ({ orgo }) =>
    orgo("announced").files.upload({ workspace_id: "w", name: "f", file: new Uint8Array(9) }, { onProgress() {} }),
  "a response without an end": ({ orgo }) => orgo("endless").computers.get("c"),
  "a response without an end, to an upload that is watched": ({ orgo }) =>
    orgo("endless").files.upload({ workspace_id: "w", name: "f", file: new Uint8Array(9) }, { onProgress() {} }),
  "a refusal without an end": ({ orgo }) => orgo("endless-refusal", { maxResponseBytes: 5 }).computers.get("c"),
  "a refusal with control characters": ({ orgo }) => orgo("controls").computers.get("c"),
  "a header that frames the request": ({ orgo }) => orgo("good", { headers: { "Content-Length": "5" } }).computers.get("c"),

  "a refusal with 400": refused(400),
  "a refusal with 401": refused(401),
  "a refusal with 402": refused(402),
  "a refusal with 403": refused(403),
  "a refusal with 404": refused(404),
  "a refusal with 409": refused(409),
  "a refusal with 429": refused(429),
  "a refusal with 500": refused(500),
  "a refusal without a word": ({ orgo }) => orgo("silent-refusal").computers.get("c"),

  "a connection that is reset": ({ orgo }) => orgo("reset").computers.get("c"),
  "keystrokes while the link is down": async ({ connected }) => {
    const terminal = await connected("echo").terminal();
    await terminal.close();
    return terminal.writable.getWriter().write("x");
  },

  "no answer": ({ orgo }) => orgo("hang").computers.get("c", { timeout: 100 }),
  "an answer that stops": ({ orgo }) => orgo("stall").computers.get("c", { idleTimeout: 100 }),
  "no success in time": ({ orgo }) => orgo("hang").computers.get("c", { totalTimeout: 100, maxRetries: 9 }),
  "a channel that does not open": ({ connected }) => connected("hang").terminal({}, { timeout: 100 }),
  "an event that does not come": async ({ connected }) => {
    const events = await connected("echo").events(["idle"]);
    return events.waitFor("idle", { timeout: 100 }).finally(() => events.close());
  },

  "an abort before the call": ({ orgo }) => orgo("good").computers.get("c", { signal: AbortSignal.abort("enough") }),
  "an abort during the call": ({ orgo }) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort("enough"), 100);
    return orgo("hang").computers.get("c", { signal: controller.signal });
  },
  "an abort while a channel opens": ({ connected }) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort("enough"), 100);
    return connected("hang").terminal({}, { signal: controller.signal });
  },

  "a channel that the server closes in the normal way": async ({ connected }) => {
    const terminal = await connected("close-1000").terminal();
    return terminal.exited;
  },
  "a shell that ends": async ({ connected }) => {
    const terminal = await connected("exit").terminal();
    await terminal.exited;
    await terminal.close();
    return terminal.state.cause;
  },
  "a server that goes away": closed(1001),
  "a broken protocol": closed(1002),
  "a refusal of another kind": closed(1008),
  "a wrong password": closed(4401),
  "a computer that does not run": closed(4003),
  "a computer that is not there": closed(4404),
  "a channel without input": closed(4008),
  "a password for looking": closed(4011),
  "a shell that cannot be started": closed(4500),
  "a computer that cannot be reached": closed(4999),
  "a message that is too large": async ({ connected }) => {
    const terminal = await connected("huge").terminal();
    return terminal.exited;
  },
  "a close reason with control characters": async ({ connected }) => {
    const terminal = await connected("rude").terminal();
    return terminal.exited;
  },
  "output that nobody takes": async ({ connected }) => {
    const terminal = await connected("flood").terminal();
    return terminal.exited;
  },

  "a computer that is broken": ({ orgo }) => orgo("broken").computer("c").waitUntilRunning(),
  "sound where there is none to play it": async ({ connected }) => {
    const audio = await connected("echo").audio();
    return audio.play().finally(() => audio.close());
  },
};

/** What a binding or a platform has no part in: Node holds a sender back, and has no speaker; a page is the reverse. */
export const ELSEWHERE = {
  native: ["output that nobody takes"],
  "wasm in Node": [],
  "wasm in Chromium": ["sound where there is none to play it"],
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
 * Provokes one error.
 *
 * @param {typeof import("orgo-sdk")} sdk
 * @param {{ name: string, url: string }} task the provocation, and the address of the server
 * @returns {Promise<object>} the fields of the error, and of which classes it is
 */
export async function provoke(sdk, { name, url }) {
  const settings = { apiKey: "sk_fault", timeout: LONG, maxRetries: 0, dangerouslyAllowBrowser: true };
  const world = {
    sdk,
    orgo: (way, options) => new sdk.Orgo({ ...settings, baseUrl: `${url}/${way}/api`, ...options }),
    connected(way) {
      const connection_url = `${url}/${way}`;
      return sdk.Orgo.connect({ version: 1, computer_id: "c", password: "p", connection_url });
    },
  };
  try {
    return { cause: await PROVOCATIONS[name](world) };
  } catch (error) {
    const fields = FIELDS.filter((field) => error[field] !== undefined).map((field) => [field, error[field]]);
    const classes = Object.keys(sdk).filter((name) => isError(sdk, sdk[name]) && error instanceof sdk[name]);
    return { ...Object.fromEntries(fields), classes };
  }
}

/** The names of the classes of errors that the package has. */
export function errorClasses(sdk) {
  return Object.keys(sdk).filter((name) => isError(sdk, sdk[name]));
}

function isError(sdk, value) {
  return value === sdk.OrgoError || value?.prototype instanceof sdk.OrgoError;
}
