// A simulated binding. It records its calls and is controlled by the test.
import { source } from "./source.mjs";

/** Creates a promise with its `resolve` and `reject`. */
export function deferred() {
  const result = {};
  result.promise = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }));
  return result;
}

/** A channel whose items and states are set by the test. */
export class FakeChannel {
  pulls = 0;
  closed = false;
  sent = [];
  passwords = [];
  figures = {
    received: 0,
    taken: 0,
    buffered: 0,
    dropped: 0,
    written: 0,
    acknowledged: 0,
    pending: 0,
    unacknowledged: 0,
    reconnects: 0,
  };
  /** The number of bytes of input that may be pending. */
  room = 10;
  #items = [];
  #questions = 0;
  #states = [{ status: "connecting" }];
  #reported = 0;
  #wake = [];

  constructor(target, options) {
    Object.assign(this, { target, options });
  }

  put(...items) {
    this.#items.push(...items);
    this.#notify();
  }

  enter(state) {
    this.#states.push(state);
    this.#notify();
  }

  open() {
    this.enter({ status: "open" });
  }

  end(reason = "normal", fields = {}) {
    this.enter({ status: "closed", cause: { reason, message: `ended: ${reason}`, ...fields } });
  }

  async next() {
    this.pulls += 1;
    while (this.#items.length === 0) {
      if (this.state().status === "closed") return null;
      await this.#change();
    }
    return this.#items.splice(0);
  }

  async nextState() {
    while (this.#reported === this.#states.length - 1) {
      if (this.state().status === "closed") return null;
      await this.#change();
    }
    this.#reported = this.#states.length - 1;
    return this.state();
  }

  /** Requests a password. The response is added to `passwords`. */
  ask() {
    this.#questions += 1;
    this.#notify();
  }

  async nextPasswordRequest() {
    while (this.#questions === 0) {
      if (this.state().status === "closed") return false;
      await this.#change();
    }
    this.#questions -= 1;
    return true;
  }

  providePassword(target, problem) {
    this.passwords.push({ target, problem });
  }

  state() {
    return this.#states.at(-1);
  }

  counters() {
    return { ...this.figures };
  }

  close() {
    this.closed = true;
    if (this.state().status !== "closed") this.end();
  }

  command(name, argument) {
    return this[`_${name}`](argument) ?? null;
  }

  _input(text) {
    const refusal = this._refusal();
    if (refusal === undefined) {
      this.sent.push(text);
      const bytes = Buffer.byteLength(text);
      this.figures.written += bytes;
      this.figures.pending += bytes;
    }
    return refusal;
  }

  _refusal() {
    const { status } = this.state();
    if (status !== "open") return status === "unstable" ? "unstable" : "disconnected";
    return this.figures.pending >= this.room ? "full" : undefined;
  }

  /** Acknowledges all input. */
  acknowledge() {
    this.figures.acknowledged += this.figures.pending;
    this.figures.pending = 0;
    this.#notify();
  }

  /** Loses the connection. Input that is not acknowledged may be lost. */
  break() {
    this.figures.unacknowledged += this.figures.pending;
    this.figures.pending = 0;
    this.figures.reconnects += 1;
    this.enter({ status: "reconnecting", attempt: 1, delay: 500, cause: { reason: "unreachable", message: "lost" } });
  }

  async nextProgress() {
    if (this.state().status === "closed") return false;
    await this.#change();
    return true;
  }

  _resize({ cols, rows }) {
    this.sent.push([cols, rows]);
  }

  _subscribe(types) {
    this.sent.push({ subscribe: types });
  }

  _expect() {}

  _unsubscribe(types) {
    this.sent.push({ unsubscribe: types });
  }

  #change() {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #notify() {
    for (const resolve of this.#wake.splice(0)) resolve();
  }
}

/**
 * Creates a platform with a simulated binding.
 *
 * @param {(operation: string, params: object, call: { options: object, content?: object, canceled: Promise<void> }) => unknown} respond
 *   returns the value of a call, or throws its error record
 */
export function fakePlatform(respond = () => ({}), { environment = {}, exposed = false } = {}) {
  const calls = [];
  const channels = [];
  class Client {
    constructor(config, log) {
      Object.assign(this, { config, log });
    }

    call(operation, params, options, content) {
      const canceled = deferred();
      calls.push({ operation, params, options, content, config: this.config });
      this.log?.("debug", `${operation}: begun`);
      const outcome = async () => {
        try {
          const value = await respond(operation, params, { options, content, canceled: canceled.promise });
          return value instanceof Uint8Array ? { ok: true, value: null, bytes: value } : { ok: true, value };
        } catch (error) {
          return { ok: false, error };
        }
      };
      return { outcome, cancel: canceled.resolve };
    }

    open(_kind, target, options) {
      const channel = new FakeChannel(target, options);
      channels.push(channel);
      return channel;
    }
  }
  const binding = {
    kind: () => "wasm",
    version: () => "0.0.0",
    wavHeader: (sample_rate, channels) => new TextEncoder().encode(`wav ${sample_rate} ${channels}\n`),
    wavEncode: (samples) => Uint8Array.from(samples),
    level: (samples) => Float32Array.of(Math.max(...samples), samples.length),
    Client,
  };
  let loads = 0;
  const platform = {
    load: async () => {
      loads += 1;
      return { binding };
    },
    environment: (name) => environment[name],
    exposed: () => exposed,
    classes: () => source.classes,
    openContent: source.openContent,
  };
  return { platform, calls, channels, loads: () => loads };
}

/** Creates the error record of a refused call. */
export function refusal(status, fields = {}) {
  return { kind: "server", message: `refused: ${status}`, delivered: "no", status, body: "{}", ...fields };
}

/** Waits until `ready` returns neither `undefined` nor `false`, while promises are processed. Returns the value. */
export async function until(ready) {
  for (let turn = 0; turn < 1000; turn++) {
    const value = ready();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("the condition was not met");
}
