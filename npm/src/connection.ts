import type { ChannelTarget } from "./binding.js";
import { Caller } from "./caller.js";
import type { AudioParams, AudioStream } from "./channel/audio.js";
import type { EventStream } from "./channel/events.js";
import { ChannelOpener } from "./channel/open.js";
import type { Terminal, TerminalParams } from "./channel/terminal.js";
import { invalid } from "./errors.js";
import { Log, type Logger, type LogLevel } from "./logger.js";
import { checkFields, checks, type OpenOptions } from "./options.js";
import type { Platform } from "./platform.js";
import type { EventType } from "./types.js";

/** A connection as JSON. It holds the computer's password: whoever has it can do everything on that computer. */
export interface ConnectionData {
  /** The version of this format. */
  version: 1;
  computer_id: string;
  instance_id?: string;
  /** The base of the computer's channels. */
  connection_url?: string;
  base_url?: string;
  realtime_url?: string;
  /** The password of the computer's channels. It changes whenever the computer restarts. */
  password: string;
}

/**
 * What a page needs to open one computer's channels, without the API key.
 *
 * It exists to be sent: `JSON.stringify(connection)` holds the computer's password. Whoever has that can do everything
 * on the computer until it restarts, so send it only to the person whose computer it is. `console.log`,
 * `util.inspect` and spreading do not show the password.
 */
export class Connection {
  readonly computer_id: string;
  readonly instance_id?: string;
  readonly connection_url?: string;
  readonly base_url?: string;
  readonly realtime_url?: string;
  readonly #password: string;

  /** @internal */
  constructor({ password, ...fields }: Omit<ConnectionData, "version">) {
    this.computer_id = fields.computer_id;
    if (fields.instance_id !== undefined) this.instance_id = fields.instance_id;
    if (fields.connection_url !== undefined) this.connection_url = fields.connection_url;
    if (fields.base_url !== undefined) this.base_url = fields.base_url;
    if (fields.realtime_url !== undefined) this.realtime_url = fields.realtime_url;
    this.#password = password;
  }

  /** The whole connection with the password in it, for `JSON.stringify`. */
  toJSON(): ConnectionData {
    return { version: 1, ...this, password: this.#password };
  }
}

/** How to work with a connection. */
export interface ConnectOptions {
  /**
   * Gets a fresh connection to the same computer, from your own server for example: a restart of the computer changes
   * its password. Asked when the password is refused. Without it the channel then ends, with the cause `unauthorized`.
   */
  refresh?: () => Promise<Connection | ConnectionData>;
  /** How long a channel may take to open, and `refresh` to answer, in milliseconds. Default: 60000. */
  timeout?: number;
  /** See {@link OrgoOptions.logger}. */
  logger?: Logger;
  /** See {@link OrgoOptions.logLevel}. */
  logLevel?: LogLevel;
}

/** The channels of one computer, opened by its password. */
export class ConnectedComputer {
  /** The computer's id. */
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
    const { base_url, realtime_url, ...first } = checkedConnection(connection);
    this.id = first.computer_id;
    const config = {
      ...(base_url !== undefined && { base_url }),
      ...(realtime_url !== undefined && { realtime_url }),
      ...(timeout !== undefined && { timeout }),
    };
    const caller = new Caller(platform, config, new Log(logger, logLevel));
    let target: ChannelTarget = first;
    const renew = async (ask: NonNullable<typeof refresh>) => {
      const { base_url: _, realtime_url: __, ...fresh } = checkedConnection(await ask());
      if (fresh.computer_id !== this.id) throw invalid("refresh", "computer_id", "is that of another computer");
      target = fresh;
      return fresh;
    };
    this.#channels = new ChannelOpener(caller, () => target, refresh && (() => renew(refresh)));
  }

  /** Opens a shell. See {@link Computer.terminal}. */
  terminal(params?: TerminalParams, options?: OpenOptions): Promise<Terminal> {
    return this.#channels.terminal(params, options);
  }

  /** Listens to the computer's sound. See {@link Computer.audio}. */
  audio(params?: AudioParams, options?: OpenOptions): Promise<AudioStream> {
    return this.#channels.audio(params, options);
  }

  /** Watches what happens on the desktop. See {@link Computer.events}. */
  events(types: readonly EventType[], options?: OpenOptions): Promise<EventStream> {
    return this.#channels.events(types, options);
  }
}

function checkedConnection(connection: Connection | ConnectionData): Omit<ConnectionData, "version"> {
  const owner = "Orgo.connect";
  const data = plainConnection(owner, connection);
  checkFields(owner, "connection", data, {
    version: { accepts: (version) => version === 1, wanted: "1, the only version that this package knows" },
    computer_id: checks.string,
    instance_id: checks.string,
    connection_url: checks.string,
    base_url: checks.string,
    realtime_url: checks.string,
    password: checks.string,
  });
  // `structuredClone`, `postMessage` and spreading copy the visible fields alone, and the password is none.
  if (data.computer_id !== undefined && data.version === undefined && data.password === undefined) {
    const problem =
      "is missing: structuredClone, postMessage and `{ ...connection }` leave it out of a connection. Copy or send " +
      "`connection.toJSON()`, which has everything";
    throw invalid(owner, "password", problem);
  }
  for (const name of ["version", "computer_id", "password"] as const) {
    if (data[name] === undefined) throw invalid(owner, name, "is required");
  }
  const { version: _, ...fields } = data;
  return fields;
}

/** The fields of a connection. One that another copy of this package made is no instance of this one's class. */
function plainConnection(owner: string, connection: unknown): ConnectionData {
  if (typeof connection === "string") {
    throw invalid(owner, "connection", "must be an object, not text: JSON.parse makes one of JSON");
  }
  const { toJSON, then } = (connection ?? {}) as { toJSON?: unknown; then?: unknown };
  if (typeof then === "function") throw invalid(owner, "connection", "must be an object, not a promise: await it first");
  return (typeof toJSON === "function" ? toJSON.call(connection) : (connection ?? null)) as ConnectionData;
}
