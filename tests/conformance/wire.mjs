// Plain HTTP and WebSocket calls, without the SDK: what is tested is the server.
import { lookup } from "node:dns";
import { Agent, WebSocket } from "undici";
import { within } from "../support/wait.mjs";

const LIMIT = 30_000;

/** Names under `localhost` are this machine's, which not every resolver knows. */
const dispatcher = new Agent({
  connect: {
    lookup: (name, options, done) => lookup(name.endsWith(".localhost") ? "localhost" : name, options, done),
  },
});

/** A server of the protocol. */
export class Wire {
  /** Every `METHOD path` that was called, with `{id}` in the place of ids. @type {Set<string>} */
  called = new Set();
  #base;
  #addresses;
  #key;

  /**
   * @param {{ baseUrl: string, realtimeUrl: string, olderRealtimeUrl?: string, apiKey: string }} options the addresses
   *   of channels, of today's generation and of the older one, name `{instance_id}` or `{computer_id}`, and `{channel}`
   */
  constructor({ baseUrl, realtimeUrl, olderRealtimeUrl = "", apiKey }) {
    this.#base = baseUrl;
    this.#addresses = { today: realtimeUrl, older: olderRealtimeUrl };
    this.#key = apiKey;
  }

  /** The key that calls are made with. */
  get key() {
    return this.#key;
  }

  /**
   * Makes a call; `text` is a body that is sent as it is, `form` a form, `key: null` sends no key; the client goes away
   * at `leave`.
   *
   * @param {{ key?: string | null, text?: string, form?: FormData, leave?: AbortSignal, limit?: number }} [options] `limit`
   *   in milliseconds
   */
  async call(method, path, body, { key = this.#key, text, form, leave, limit = LIMIT * 2 } = {}) {
    const headers = { accept: "application/json" };
    if (key !== null) headers.authorization = `Bearer ${key}`;
    if (form === undefined) headers["content-type"] = "application/json";
    const sent = form ?? text ?? (method === "POST" ? JSON.stringify(body ?? {}) : undefined);
    // An id has a digit in it, and no name of a call has.
    this.called.add(`${method} ${path.replace(/\?.*/, "").replace(/^(\/[a-z]+\/)(?=[^/]*\d)[^/]+/, "$1{id}")}`);
    const late = AbortSignal.timeout(limit);
    const signal = leave ? AbortSignal.any([leave, late]) : late;
    const response = await fetch(`${this.#base}${path}`, { method, headers, body: sent, signal });
    const answer = await response.text();
    let parsed;
    try {
      parsed = JSON.parse(answer);
    } catch {
      // Some refusals have no JSON, which the check then says.
    }
    return { status: response.status, body: parsed };
  }

  /** Fetches bytes; `address` may be a path from the root of the host, `bearer` is a key or a password to go along. */
  async fetch(address, { bearer } = {}) {
    const headers = bearer ? { authorization: `Bearer ${bearer}` } : {};
    const response = await fetch(new URL(address, this.#base), { headers, signal: AbortSignal.timeout(LIMIT) });
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      bytes: Buffer.from(await response.arrayBuffer()),
    };
  }

  /**
   * Opens a channel of a computer, whether the server then closes it or not.
   *
   * @param {"terminal" | "audio" | "events"} kind
   * @param {object} state
   * @param {{ id: string, instance_id?: string, fly_instance_id?: string }} state.computer
   * @param {string | null} state.password
   * @param {object} [options]
   * @param {"today" | "older"} [options.generation]
   * @param {string} [options.address] in place of the generation's
   * @param {Record<string, string | number>} [options.query]
   * @param {boolean} [options.bearer] sends the password as a header
   */
  async channel(kind, { computer, password }, { generation = "today", address, query = {}, bearer = false } = {}) {
    const instance = computer.instance_id ?? computer.fly_instance_id;
    const template = address ?? this.#addresses[generation];
    const url = new URL(
      template.replace("{instance_id}", instance).replace("{computer_id}", computer.id).replace("{channel}", kind),
    );
    if (password !== null && !bearer) url.searchParams.set("token", password);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const headers = bearer ? { authorization: `Bearer ${password}` } : {};
    const channel = new Channel(new WebSocket(url, { dispatcher, headers }));
    await channel.opened;
    return channel;
  }
}

class Channel {
  #socket;
  #arrived = [];
  #wake = () => {};
  #code;

  constructor(socket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.opened = within(
      "the socket to open",
      new Promise((resolve, reject) => {
        socket.addEventListener("open", resolve, { once: true });
        socket.addEventListener("error", () => reject(new Error("the socket was not opened")), { once: true });
      }),
      LIMIT,
    );
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("close", ({ code }) => {
      this.#code = code;
      this.#wake();
    });
  }

  #take(data) {
    this.#arrived.push(data);
    this.#wake();
  }

  send(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  /** Sends a JSON frame as some clients do: in binary. */
  sendBinary(frame) {
    this.#socket.send(Buffer.from(JSON.stringify(frame)));
  }

  close() {
    this.#socket.close();
  }

  /** The next JSON frame for which `fits` is true; the others are passed over. */
  find(fits, limit = LIMIT) {
    const read = (data) => {
      const frame = typeof data === "string" && JSON.parse(data);
      return frame && fits(frame) ? frame : undefined;
    };
    return this.#next("a frame", read, limit);
  }

  /** The next JSON frame. */
  frame() {
    return this.find(() => true);
  }

  /** The next binary frame. */
  bytes() {
    return this.#next("sound", (data) => (typeof data === "string" ? undefined : Buffer.from(data)));
  }

  /** The code that the server closes with. */
  closed() {
    return this.#next("the end", () => undefined).catch((error) => this.#code ?? Promise.reject(error));
  }

  #next(what, read, limit = LIMIT) {
    const search = async () => {
      for (;;) {
        while (this.#arrived.length > 0) {
          const found = read(this.#arrived.shift());
          if (found !== undefined) return found;
        }
        if (this.#code !== undefined) throw new Error(`the channel was closed with ${this.#code} before ${what} came`);
        await new Promise((resolve) => (this.#wake = resolve));
      }
    };
    return within(what, search(), limit);
  }
}
