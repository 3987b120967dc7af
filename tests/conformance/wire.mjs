// Plain HTTP and WebSocket calls, without the SDK: what is tested is the server.
import { WebSocket } from "undici";
import { within } from "../support/wait.mjs";

const LIMIT = 30_000;

/** A server of the protocol. */
export class Wire {
  #base;
  #realtime;
  #key;

  /** @param {{ baseUrl: string, realtimeUrl: string, apiKey: string }} options `realtimeUrl` names `{instance_id}` and `{channel}` */
  constructor({ baseUrl, realtimeUrl, apiKey }) {
    this.#base = baseUrl;
    this.#realtime = realtimeUrl;
    this.#key = apiKey;
  }

  /** Makes a call; `text` is a body that is sent as it is, `key: null` sends no key. */
  async call(method, path, body, { key = this.#key, text } = {}) {
    const headers = { accept: "application/json", "content-type": "application/json" };
    if (key !== null) headers.authorization = `Bearer ${key}`;
    const sent = text ?? (method === "POST" ? JSON.stringify(body ?? {}) : undefined);
    const signal = AbortSignal.timeout(LIMIT * 2);
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

  /** Opens a channel of a computer, whether the server then closes it or not. */
  async channel(kind, { computer, password }) {
    const instance = computer.instance_id ?? computer.fly_instance_id;
    const address = this.#realtime.replace("{instance_id}", instance).replace("{channel}", kind);
    const channel = new Channel(new WebSocket(`${address}?token=${encodeURIComponent(password)}`));
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

  close() {
    this.#socket.close();
  }

  /** The next JSON frame for which `fits` is true; the others are passed over. */
  find(fits) {
    return this.#next("a frame", (data) => {
      const frame = typeof data === "string" && JSON.parse(data);
      return frame && fits(frame) ? frame : undefined;
    });
  }

  /** The next binary frame. */
  bytes() {
    return this.#next("sound", (data) => (typeof data === "string" ? undefined : Buffer.from(data)));
  }

  /** The code that the server closes with. */
  closed() {
    return this.#next("the end", () => undefined).catch((error) => this.#code ?? Promise.reject(error));
  }

  #next(what, read) {
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
    return within(what, search(), LIMIT);
  }
}
