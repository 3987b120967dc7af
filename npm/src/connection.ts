import type { ChannelTarget } from "./binding.js";
import { Caller } from "./caller.js";
import type { AudioParams, AudioStream } from "./channel/audio.js";
import type { EventStream } from "./channel/events.js";
import { ChannelOpener } from "./channel/open.js";
import type { Screen, ScreenParams } from "./channel/screen.js";
import type { Terminal, TerminalParams } from "./channel/terminal.js";
import { invalidParameter, messageOf } from "./errors.js";
import { ClientLog, type Logger, type LogLevel } from "./logger.js";
import { checkFields, checks, defined, type OpenOptions } from "./options.js";
import type { Platform } from "./platform.js";
import type { EventType } from "./types.js";

/** A connection as JSON. It contains the password of the computer, which gives full access to the computer. */
export interface ConnectionData {
  /** The version of this format. */
  version: 1;
  /** The id of the computer. */
  computer_id: string;
  /** The second id of the computer, which its channels use. */
  instance_id?: string;
  /** The base URL of the channels, as the computer reports it. */
  connection_url?: string;
  /** The `baseUrl` of the client that created the connection, if it was set. */
  base_url?: string;
  /** The `realtimeUrl` of the client that created the connection, if it was set. */
  realtime_url?: string;
  /** The password of the channels. It changes at every restart of the computer. */
  password: string;
}

/**
 * The data with which a page opens the channels of one computer without the API key. {@link Computer.connection} creates
 * it, `Orgo.connect` uses it.
 *
 * `JSON.stringify(connection)` contains the password of the computer. The password gives full access to the computer until
 * it restarts, so send it only to the owner of the computer. `console.log`, `util.inspect` and spreading do not
 * show the password.
 */
export class Connection {
  /** The id of the computer. */
  declare readonly computer_id: string;
  /** The second id of the computer, which its channels use. */
  declare readonly instance_id?: string;
  /** The base URL of the channels, as the computer reports it. */
  declare readonly connection_url?: string;
  /** The `baseUrl` of the client that created the connection, if it was set. */
  declare readonly base_url?: string;
  /** The `realtimeUrl` of the client that created the connection, if it was set. */
  declare readonly realtime_url?: string;
  readonly #password: string;

  /** @internal */
  constructor({ password, ...fields }: Omit<ConnectionData, "version">) {
    const { computer_id, instance_id, connection_url, base_url, realtime_url } = fields;
    Object.assign(this, defined({ computer_id, instance_id, connection_url, base_url, realtime_url }));
    this.#password = password;
  }

  /** Returns the connection with its password. `JSON.stringify` calls it. */
  toJSON(): ConnectionData {
    return { version: 1, ...this, password: this.#password };
  }
}

/** The options of `Orgo.connect`. */
export interface ConnectOptions {
  /**
   * Returns a fresh connection to the same computer, for example from your own server. It is called when the server
   * refuses the password, which changes at every restart of the computer. Default: none. The channel then ends with the cause
   * `unauthorized`.
   */
  refresh?: () => Promise<Connection | ConnectionData>;
  /** The time limit for opening a channel and for `refresh`, in milliseconds. Default: 60000. */
  timeout?: number;
  /** Receives log lines, for example `console`. Default: nothing is logged. */
  logger?: Logger;
  /** The least severe level that is logged. Default: `info`. */
  logLevel?: LogLevel;
}

/** The channels of one computer, opened with the password of its connection. */
export class ConnectedComputer {
  /** The id of the computer. */
  readonly id: string;
  readonly #channels: ChannelOpener;

  /** @internal */
  constructor(platform: Platform, connection: Connection | ConnectionData, options: ConnectOptions = {}) {
    checkFields("Orgo.connect", "options", options, {
      refresh: checks.function,
      timeout: checks.milliseconds,
      logger: checks.logger,
      logLevel: checks.logLevel,
    });
    const { refresh, timeout, logger, logLevel } = options;
    const { base_url, realtime_url, ...first } = parseConnection(connection);
    this.id = first.computer_id;
    const config = defined({ base_url, realtime_url, timeout });
    const caller = new Caller(platform, config, new ClientLog(logger, logLevel));
    let target: ChannelTarget = first;
    const refreshTarget = async (getConnection: NonNullable<typeof refresh>) => {
      const { base_url: _, realtime_url: __, ...fresh } = parseConnection(await getConnection());
      if (fresh.computer_id !== this.id) throw invalidParameter("refresh", "computer_id", "must not be that of another computer");
      target = fresh;
      return target;
    };
    // Every failure of `refresh` may be temporary, so the channel gets only the message.
    const refreshed = (getConnection: NonNullable<typeof refresh>) =>
      refreshTarget(getConnection).catch((error: unknown) => Promise.reject(new Error(messageOf(error))));
    this.#channels = new ChannelOpener(
      caller,
      () => target,
      refresh && (() => ({ result: refreshed(refresh), cancel: () => {} })),
    );
  }

  /** Opens a terminal. See {@link Computer.terminal}. */
  terminal(params?: TerminalParams, options?: OpenOptions): Promise<Terminal> {
    return this.#channels.terminal(params, options);
  }

  /** Opens the audio of the computer. See {@link Computer.audio}. */
  audio(params?: AudioParams, options?: OpenOptions): Promise<AudioStream> {
    return this.#channels.audio(params, options);
  }

  /** Opens the live screen. See {@link Computer.screen}. */
  screen(params?: ScreenParams, options?: OpenOptions): Promise<Screen> {
    return this.#channels.screen(params, options);
  }

  /** Opens the events of the desktop. See {@link Computer.events}. */
  events(types: readonly EventType[], options?: OpenOptions): Promise<EventStream> {
    return this.#channels.events(types, options);
  }
}

function parseConnection(connection: Connection | ConnectionData): Omit<ConnectionData, "version"> {
  const owner = "Orgo.connect";
  const data = connectionData(owner, connection);
  checkFields(owner, "connection", data, {
    version: { accepts: (version) => version === 1, expected: "1, the only version that this package supports" },
    computer_id: checks.string,
    instance_id: checks.string,
    connection_url: checks.string,
    base_url: checks.string,
    realtime_url: checks.string,
    password: checks.string,
  });
  // `structuredClone`, `postMessage` and spreading copy only public fields, and the password is a private field.
  if (data.computer_id !== undefined && data.version === undefined && data.password === undefined) {
    const problem =
      "is missing: structuredClone, postMessage and `{ ...connection }` do not copy it. Copy or send `connection.toJSON()`";
    throw invalidParameter(owner, "password", problem);
  }
  for (const name of ["version", "computer_id", "password"] as const) {
    if (data[name] === undefined) throw invalidParameter(owner, name, "is required");
  }
  const { version: _, ...fields } = data;
  return fields;
}

/** Returns the fields of a connection, which may be an instance from another copy of this package. */
function connectionData(owner: string, connection: unknown): ConnectionData {
  if (typeof connection === "string") {
    throw invalidParameter(owner, "connection", "must be an object, not a string: pass the result of JSON.parse");
  }
  const { toJSON, then } = (connection ?? {}) as { toJSON?: unknown; then?: unknown };
  if (typeof then === "function") throw invalidParameter(owner, "connection", "must be an object, not a promise: await it first");
  return (typeof toJSON === "function" ? toJSON.call(connection) : (connection ?? null)) as ConnectionData;
}
