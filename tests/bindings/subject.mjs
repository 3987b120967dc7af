// Controls one binding for the vectors, in Node or in a page. All arguments and results are plain data.

/** The time limit for opening a channel, in milliseconds. It is long, because the transcripts determine when an opening ends. */
const OPENING = 120_000;

/**
 * @param {typeof import("orgo-sdk")} sdk the package, which uses the binding
 * @param {{ Client: Function }} binding the binding itself
 */
export function makeSubject(sdk, binding) {
  const opened = new Map();
  const screens = new Map();

  return {
    /** Makes a call through the binding. Returns `{ result }` or `{ error }`, and also the bytes if the result has any. */
    async call({ config, operation, params, options, content }, log) {
      const upload = content && { ...content, data: new TextEncoder().encode(content.text) };
      let outcome;
      try {
        outcome = await makeCall(new binding.Client(config, log), operation, params, options, upload);
      } catch (error) {
        return { error };
      }
      if (!outcome.ok) return { error: outcome.error };
      const { value, bytes } = outcome;
      return bytes ? { result: { ...value, bytes: bytes.length }, bytes: [...bytes] } : { result: value };
    },

    /** Starts to open a channel through the public API. */
    async open(id, given) {
      opened.set(id, new Opened(sdk, given));
    },

    /** Executes a command on a channel, and returns the result of the command. */
    async act(id, command, args) {
      return opened.get(id).act(command, args);
    },

    /** Starts to open a screen through the public API. */
    async openScreen(id, connection) {
      const opening = sdk.Orgo.connect(connection).screen({}, { timeout: OPENING, maxRetries: 0 });
      screens.set(id, opening);
      // `hashScreen` reports the failure.
      opening.catch(() => {});
    },

    /** Returns the size of the screen and the FNV-1a hash of its pixels, or `undefined` if the screen is not complete soon. */
    async hashScreen(id) {
      const screen = await within(screens.get(id));
      const image = screen && (await within(screen.screenshot({ format: "rgba" })));
      if (image === undefined) return undefined;
      const { width, height, data } = image;
      return { width, height, hash: data.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5) >>> 0 };
    },

    async closeScreen(id) {
      await (await screens.get(id)).close();
      screens.delete(id);
    },

    /** Returns the visible state of a channel. */
    async look(id) {
      return opened.get(id).look();
    },
  };
}

/** Makes a call, and returns its outcome. The package adds the method `call` to the client of a module (npm/src/bindings/wasm.ts). */
function makeCall(client, operation, params = {}, options, content) {
  if ("call" in client) return client.call(operation, params, options, content).outcome();
  const call = [operation, JSON.stringify(params), options && JSON.stringify(options)].join("\n");
  return new Promise((resolve, reject) => {
    client.start(performance.now(), call, content, (error, outcome) => (outcome ? resolve(outcome) : reject(error)));
  });
}

/** Returns the result of a promise, or `undefined` if it is not resolved within a second. */
function within(promise) {
  return Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 1_000))]);
}

class Opened {
  channel;
  failure;
  ended;
  asked = 0;
  question;
  states = [];
  items = [];
  aborter = new AbortController();

  constructor(sdk, { kind, options, connection, client, computer, reconnects }) {
    const refresh = () => {
      this.asked += 1;
      return new Promise((resolve, reject) => (this.question = { resolve, reject }));
    };
    const handle = connection ? sdk.Orgo.connect(connection, { refresh }) : new sdk.Orgo(client).computer(computer);
    const { signal } = this.aborter;
    const how = { signal, timeout: OPENING, ...(reconnects !== undefined && { maxRetries: reconnects }) };
    const given = kind === "events" ? (options.types ?? []) : options;
    handle[kind](given, how).then(
      (channel) => this.read(kind, channel),
      (error) => (this.failure = plain(error)),
    );
  }

  async read(kind, channel) {
    this.states.push(channel.state);
    channel.on("state", (state) => this.states.push(state));
    const { items } = this;
    channel.on("error", (message) => items.push({ type: "error", message }));
    if (kind === "terminal") {
      channel.on("reconnected", (unacknowledged) => items.push({ type: "reconnected", unacknowledged }));
      // `exited` also resolves for a shell that ended before the listeners were added.
      channel.exited.then(
        (code) => items.push({ type: "exit", code }),
        () => {},
      );
    }
    if (kind === "events") channel.on("gap", (missed) => items.push({ type: "gap", missed }));
    if (kind === "audio") channel.on("started", (format) => items.push({ type: "started", ...format }));
    this.channel = channel;
    try {
      for await (const item of channel) items.push(ITEMS[kind](item));
      this.ended = "as it should";
    } catch (error) {
      this.ended = plain(error);
    }
  }

  act(command, args) {
    switch (command) {
      case "password":
        return this.question.resolve(args[0]);
      case "fail":
        return this.question.reject(new Error(args[0]));
      case "close":
        // If the channel is not open yet, aborts its opening.
        if (this.channel === undefined) return this.aborter.abort();
        return void this.channel.close();
      default:
        return this.channel[command](...args);
    }
  }

  look() {
    const { channel, failure, ended, asked, states, items } = this;
    const now = channel && { state: channel.state, counters: channel.counters };
    return { open: channel !== undefined, failure, ended, asked, states, items, ...now };
  }
}

const ITEMS = {
  terminal: (data) => ({ type: "output", data }),
  audio: ({ samples }) => ({ type: "samples", samples: [...samples] }),
  events: (event) => ({ type: "event", event }),
};

/** Returns the fields of an error as plain data. */
function plain(error) {
  const { name, message, kind, cause } = error;
  return { name, message, kind, cause };
}
