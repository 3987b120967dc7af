// A plain HTTP and WebSocket client. It does not use the SDK, because it tests servers independently of the SDK.
import { lookup } from "node:dns";
import { Agent, WebSocket } from "undici";
import { within } from "../support/wait.mjs";

const LIMIT = 30_000;

/** A dispatcher that resolves names under `localhost` to this machine, because not every resolver does this. */
const dispatcher = new Agent({
  connect: {
    lookup: (name, options, done) => lookup(name.endsWith(".localhost") ? "localhost" : name, options, done),
  },
});

/** A client for a server of the protocol. */
export class Wire {
  /** All calls so far, as `METHOD path` with `{id}` in place of ids. @type {Set<string>} */
  called = new Set();
  #base;
  #addresses;
  #key;

  /**
   * @param {{ baseUrl: string, realtimeUrl: string, olderRealtimeUrl?: string, apiKey: string }} options the realtime
   *   URLs are the addresses of channels in the current and the older protocol. They contain `{instance_id}` or
   *   `{computer_id}`, and `{channel}`.
   */
  constructor({ baseUrl, realtimeUrl, olderRealtimeUrl = "", apiKey }) {
    this.#base = baseUrl;
    this.#addresses = { current: realtimeUrl, older: olderRealtimeUrl };
    this.#key = apiKey;
  }

  /** The API key. */
  get key() {
    return this.#key;
  }

  /**
   * Makes a call.
   *
   * @param {{ key?: string | null, text?: string, form?: FormData, abort?: AbortSignal, limit?: number }} [options]
   *   `key`: the API key, or `null` for none; `text`: a raw body; `form`: a form; `abort`: aborts the request; `limit`:
   *   the maximum time in milliseconds
   */
  async call(method, path, body, { key = this.#key, text, form, abort, limit = LIMIT * 2 } = {}) {
    const headers = { accept: "application/json" };
    if (key !== null) headers.authorization = `Bearer ${key}`;
    if (form === undefined) headers["content-type"] = "application/json";
    const sent = form ?? text ?? (method === "POST" ? JSON.stringify(body ?? {}) : undefined);
    // Every id contains a digit, and no other part of a path does.
    this.called.add(`${method} ${path.replace(/\?.*/, "").replace(/^(\/[a-z]+\/)(?=[^/]*\d)[^/]+/, "$1{id}")}`);
    const late = AbortSignal.timeout(limit);
    const signal = abort ? AbortSignal.any([abort, late]) : late;
    const response = await fetch(`${this.#base}${path}`, { method, headers, body: sent, signal });
    const content = await response.text();
    let parsed;
    try {
      parsed = JSON.parse(content);
    } catch {
      // The body is not JSON. The check reports this.
    }
    return { status: response.status, body: parsed };
  }

  /** Fetches bytes. `address` is a URL or an absolute path; `bearer` is a key or a password to send. */
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
   * Opens a channel of a computer. Also succeeds if the server closes the channel immediately.
   *
   * @param {"terminal" | "audio" | "events"} kind
   * @param {object} state
   * @param {{ id: string, instance_id?: string, fly_instance_id?: string }} state.computer
   * @param {string | null} state.password
   * @param {object} [options]
   * @param {"current" | "older"} [options.generation]
   * @param {string} [options.address] replaces the address of the generation
   * @param {Record<string, string | number>} [options.query]
   * @param {boolean} [options.bearer] sends the password in a header
   */
  async channel(kind, { computer, password }, { generation = "current", address, query = {}, bearer = false } = {}) {
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
        socket.addEventListener("error", () => reject(new Error("the socket could not be opened")), { once: true });
      }),
      LIMIT,
    );
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", ({ code }) => {
      this.#code = code;
      this.#wake();
    });
  }

  #receive(data) {
    this.#arrived.push(data);
    this.#wake();
  }

  send(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  /** Sends a JSON frame as a binary message, as some clients do. */
  sendBinary(frame) {
    this.#socket.send(Buffer.from(JSON.stringify(frame)));
  }

  close() {
    this.#socket.close();
  }

  /** Waits for the next JSON frame for which `fits` returns true, and returns this frame. Skips the frames before it. */
  find(fits, limit = LIMIT) {
    const read = (data) => {
      const frame = typeof data === "string" && JSON.parse(data);
      return frame && fits(frame) ? frame : undefined;
    };
    return this.#next("a frame", read, limit);
  }

  /** Waits for the next JSON frame, and returns it. */
  frame() {
    return this.find(() => true);
  }

  /** Waits for the next binary frame, and returns it. */
  bytes() {
    return this.#next("audio", (data) => (typeof data === "string" ? undefined : Buffer.from(data)));
  }

  /** Waits until the channel closes, and returns the close code from the server. */
  closed() {
    return this.#next("the close", () => undefined).catch((error) => this.#code ?? Promise.reject(error));
  }

  #next(what, read, limit = LIMIT) {
    const search = async () => {
      for (;;) {
        while (this.#arrived.length > 0) {
          const found = read(this.#arrived.shift());
          if (found !== undefined) return found;
        }
        if (this.#code !== undefined) throw new Error(`the channel was closed with ${this.#code} before ${what} arrived`);
        await new Promise((resolve) => (this.#wake = resolve));
      }
    };
    return within(what, search(), limit);
  }
}
