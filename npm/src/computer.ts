import { asyncDispose } from "./ambient.js";
import type { ChannelTarget } from "./binding.js";
import type { Caller } from "./caller.js";
import type { AudioParams, AudioStream } from "./channel/audio.js";
import type { EventStream } from "./channel/events.js";
import { ChannelOpener } from "./channel/open.js";
import type { Screen, ScreenParams } from "./channel/screen.js";
import type { Terminal, TerminalParams } from "./channel/terminal.js";
import { Connection } from "./connection.js";
import { Deadline } from "./deadline.js";
import { ComputerStateError, NotFoundError, TimeoutError } from "./errors.js";
import { type CallOptions, checkCallOptions, checks, defined, type OpenOptions } from "./options.js";
import { ComputerFiles } from "./resources/files.js";
import { Stream } from "./resources/stream.js";
import { makeSecretsNonEnumerable } from "./secrets.js";
import { SharedCall } from "./shared-call.js";
import type {
  Acknowledged,
  ActionResult,
  BashResult,
  ClickParams,
  ComputerData,
  DragParams,
  EventType,
  ExecPythonParams,
  ExecResult,
  RunBashParams,
  ScrollParams,
  TakeScreenshotParams,
  TypeTextParams,
} from "./types.js";

/** The properties of a computer, without its password. */
export type ComputerInfo = Readonly<Omit<ComputerData, "vnc_password">>;

/** A screenshot. */
export interface Screenshot {
  /** The encoded image: the content of a PNG or JPEG file. */
  data: Uint8Array;
  /** The format of the image: `image/png` or `image/jpeg`. */
  mime_type: string;
  /** The width of the image in pixels. */
  width: number;
  /** The height of the image in pixels. */
  height: number;
}

/** The options of a screenshot. */
export interface ScreenshotOptions extends CallOptions, TakeScreenshotParams {}

type Inspect = (value: unknown, options: object) => string;

const DEFAULT_START_TIMEOUT = 120_000;
/** How long a 404 response is ignored, in milliseconds. A new computer may not be visible on all servers immediately. */
const NOT_FOUND_GRACE = 10_000;
const MIN_POLL_DELAY = 250;
const MAX_POLL_DELAY = 3_000;

/** Returns the status for an error message, or `unknown` if the status is not a single plain word. */
const printableStatus = (status = "unknown") => (/^\w{1,40}$/.test(status) ? status : "unknown");

/**
 * A handle with which a program controls one computer. It keeps no network connection open, so there is nothing to close.
 *
 * `await using computer = await orgo.computers.create(...)` deletes the computer at the end of the block. A handle from `get` or
 * `computer(id)` never deletes its computer this way.
 *
 * Every call rejects with an {@link InvalidParameterError} for an invalid parameter or option, with an {@link APIError} if the
 * server refuses it, with a {@link ConnectionError} if the network fails, with a {@link TimeoutError} if a time limit is
 * exceeded, and with an {@link AbortError} if its `signal` is aborted. See `OrgoError` for all errors.
 */
export class Computer {
  /** The id of the computer, a UUID. */
  readonly id: string;
  /** The stream of the screen and the audio of the computer to an RTMP server. */
  readonly stream: Stream;
  /** The stored files of the computer. */
  readonly files: ComputerFiles;
  readonly #caller: Caller;
  readonly #channels: ChannelOpener;
  #info: ComputerInfo;
  /** The password of the channels. Channels that open at about the same time share one call. */
  readonly #password = new SharedCall((signal) => this.#freshTarget(signal));
  /** The address of the channels, if a channel has requested it. */
  #address: Partial<ChannelTarget> | undefined;
  #known: boolean;
  #owned: boolean;

  /** @internal */
  constructor(caller: Caller, data: ComputerData, { known, owned }: { known: boolean; owned: boolean }) {
    this.#caller = caller;
    this.#info = withoutSecrets(data);
    this.#known = known;
    this.#owned = owned;
    const refresh = caller.hasKey ? (refused: boolean) => this.#password.get(refused) : undefined;
    this.#channels = new ChannelOpener(caller, () => this.#target(), refresh);
    this.id = data.id;
    this.stream = new Stream(caller, data.id);
    this.files = new ComputerFiles(caller, data.id, (options) => this.#workspace(options));
  }

  /**
   * The properties that the server last reported: those of the last `create`, `get`, `refresh` or `waitUntilRunning`.
   * A handle from `orgo.computer(id)` has only the id until `refresh` or `waitUntilRunning` succeeds.
   */
  get info(): ComputerInfo {
    return this.#info;
  }

  /** Fetches the properties of the computer again, and updates {@link info}. */
  async refresh(options?: CallOptions): Promise<ComputerInfo> {
    this.#info = withoutSecrets(await this.#caller.call("computers.get", { id: this.id }, options));
    this.#known = true;
    return this.#info;
  }

  /**
   * Waits until the status of the computer is `running`. A 404 during the first 10 seconds is ignored, because a new computer
   * may not be visible at once.
   *
   * @param options `timeout` is the limit of the whole wait, in milliseconds. Default: 120000.
   * @returns the properties of the running computer.
   * @throws ComputerStateError if the status is `error` or `deleting`; TimeoutError if the limit is exceeded.
   */
  async waitUntilRunning(options: CallOptions = {}): Promise<ComputerInfo> {
    const operation = "computers.waitUntilRunning";
    checkCallOptions(operation, options);
    const { timeout = DEFAULT_START_TIMEOUT, ...callOptions } = options;
    const deadline = new Deadline(operation, timeout, options.signal);
    for (let delay = MIN_POLL_DELAY; ; delay = Math.min(delay * 1.5, MAX_POLL_DELAY)) {
      try {
        const { status } = await this.refresh({ ...callOptions, totalTimeout: Math.max(Math.ceil(deadline.remaining), 1) });
        if (status === "running") return this.#info;
        if (status === "error" || status === "deleting") {
          const message = `${operation}: the computer will not reach \`running\`: its status is \`${status}\``;
          throw new ComputerStateError({ kind: "computer", message, delivered: "no" });
        }
      } catch (error) {
        // The limit of this wait is exceeded: `sleep` throws the error for it.
        const expired = error instanceof TimeoutError && deadline.remaining < 1;
        const notFound = error instanceof NotFoundError && timeout - deadline.remaining <= NOT_FOUND_GRACE;
        if (!expired && !notFound) throw error;
      }
      await deadline.sleep(delay, `the computer did not reach \`running\` (status \`${printableStatus(this.#info.status)}\`)`);
    }
  }

  /** Starts the computer if it is stopped. */
  start(options?: CallOptions): Promise<Acknowledged> {
    return this.#change("computers.start", options);
  }

  /** Stops the computer. Its disk is kept, its processes end. */
  stop(options?: CallOptions): Promise<Acknowledged> {
    return this.#change("computers.stop", options);
  }

  /** Restarts the computer. This changes its password, so existing connections become invalid. */
  restart(options?: CallOptions): Promise<Acknowledged> {
    return this.#change("computers.restart", options);
  }

  /** Deletes the computer and its disk. A running computer is stopped first. */
  async delete(options?: CallOptions): Promise<Acknowledged> {
    const acknowledged = await this.#caller.call("computers.delete", { id: this.id }, options);
    this.#owned = false;
    return acknowledged;
  }

  /**
   * Takes a screenshot.
   *
   * @param options `format` (`png` or `jpeg`) and `scale` request a smaller image. A server that does not support them
   *   sends its default image: `mime_type`, `width` and `height` describe the image that was received.
   */
  async screenshot(options: ScreenshotOptions = {}): Promise<Screenshot> {
    const operation = "computers.screenshot";
    checkCallOptions(operation, options, { format: checks.string, scale: checks.any });
    const { format, scale, ...rest } = options;
    const params = defined({ id: this.id, format, scale });
    const { value, bytes } = await this.#caller.callWithBytes(operation, params, rest);
    return { data: bytes, ...value };
  }

  /**
   * Clicks at a point of the screen.
   *
   * @param params `x` and `y` are in pixels from the upper left corner. Default `button`: `left`.
   */
  click(params: ClickParams, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.callWith("computers.click", params, { id: this.id }, options);
  }

  /**
   * Drags from one point of the screen to another.
   *
   * @param params The coordinates are in pixels from the upper left corner. `duration` is in seconds. Default: 0.5.
   */
  drag(params: DragParams, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.callWith("computers.drag", params, { id: this.id }, options);
  }

  /**
   * Types text into the focused window.
   *
   * @param params `delay_ms` is the pause between characters, in milliseconds. Default: 12.
   */
  type(text: string, params?: TypeTextParams, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.callWith("computers.type", params, { text, id: this.id }, options);
  }

  /** Presses a key or a key combination, such as `Enter`, `Tab` or `ctrl+c`. */
  key(key: string, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.call("computers.key", { key, id: this.id }, options);
  }

  /**
   * Turns the mouse wheel.
   *
   * @param params `amount` is the number of notches. Default: 3.
   */
  scroll(params: ScrollParams, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.callWith("computers.scroll", params, { id: this.id }, options);
  }

  /**
   * Makes the computer wait. The call resolves after the wait.
   *
   * @param seconds The duration of the wait, at most 60.
   */
  wait(seconds: number, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.call("computers.wait", { duration: seconds, id: this.id }, options);
  }

  /**
   * Runs a command in a shell and waits until it ends. A command that fails does not reject: see `exit_code` of the result.
   *
   * @param params `timeout` is the time limit on the server, in seconds. Default: 200. The limit of the call itself is
   *   `options.timeout`.
   */
  bash(command: string, params?: RunBashParams, options?: CallOptions): Promise<BashResult> {
    return this.#caller.callWith("computers.bash", params, { command, id: this.id }, options);
  }

  /**
   * Runs Python code in a new interpreter and waits until it ends. An exception in the code does not reject: it is part of
   * the result.
   *
   * @param params `timeout` is the time limit on the server, in seconds. Default: 10. The limit of the call itself is
   *   `options.timeout`.
   */
  exec(code: string, params?: ExecPythonParams, options?: CallOptions): Promise<ExecResult> {
    return this.#caller.callWith("computers.exec", params, { code, id: this.id }, options);
  }

  /**
   * Opens a terminal with a new shell. Resolves when the server has accepted the terminal.
   *
   * @throws ChannelClosedError if the server refuses it; TimeoutError; AbortError.
   */
  terminal(params?: TerminalParams, options?: OpenOptions): Promise<Terminal> {
    return this.#channels.terminal(params, options);
  }

  /**
   * Opens an audio channel of the computer. Resolves when the server has accepted the channel.
   *
   * @throws ChannelClosedError if the server refuses it; TimeoutError; AbortError.
   */
  audio(params?: AudioParams, options?: OpenOptions): Promise<AudioStream> {
    return this.#channels.audio(params, options);
  }

  /**
   * Opens an event channel of the computer. Resolves when the server has accepted the channel.
   *
   * @param types The types of events to receive. {@link EventStream.subscribe} adds more later.
   * @throws ChannelClosedError if the server refuses it; TimeoutError; AbortError.
   */
  events(types: readonly EventType[], options?: OpenOptions): Promise<EventStream> {
    return this.#channels.events(types, options);
  }

  /**
   * Opens the live screen of the computer. Resolves when the server has accepted the channel. Pages, and Node with the native
   * addon, can open it.
   *
   * @throws InvalidParameterError in Node without the addon; ChannelClosedError if the server refuses it; TimeoutError; AbortError.
   */
  screen(params?: ScreenParams, options?: OpenOptions): Promise<Screen> {
    return this.#channels.screen(params, options);
  }

  /**
   * Creates a connection, with which a page opens the channels of this computer without the API key. Pass the connection to
   * `Orgo.connect` in the page. It contains the password of the computer, and is valid until the computer restarts.
   */
  async connection(options?: CallOptions): Promise<Connection> {
    const nextOptions = this.#caller.stepOptions("computers.connection", options);
    const { password } = await this.#caller.call("computers.vncPassword", { id: this.id }, nextOptions());
    const { instance_id, connection_url } = this.#target();
    if (instance_id === undefined && connection_url === undefined) await this.refresh(nextOptions());
    return new Connection({ ...this.#target(), ...this.#caller.addresses, password });
  }

  /**
   * Returns the output of `console.log` in Node: id, name and status.
   *
   * @internal
   */
  [Symbol.for("nodejs.util.inspect.custom")](depth: number, options: object, inspect: Inspect): string {
    if (depth < 0) return "[Computer]";
    return `Computer ${inspect(this.toJSON(), options)}`;
  }

  /** Returns the id and, if they are known, the name and the status. `JSON.stringify` calls it. */
  toJSON(): Pick<ComputerInfo, "id"> & Partial<Pick<ComputerInfo, "name" | "status">> {
    const { name, status } = this.#info;
    return defined({ id: this.id, name, status });
  }

  /** Deletes the computer if `create` returned this handle. */
  async [asyncDispose](): Promise<void> {
    if (!this.#owned) return;
    await this.delete().catch((error: unknown) => {
      // It was deleted otherwise, for example with its workspace.
      if (!(error instanceof NotFoundError)) throw error;
    });
  }

  /** Starts, stops or restarts the computer, which changes its password. */
  #change(operation: "computers.start" | "computers.stop" | "computers.restart", options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call(operation, { id: this.id }, options).finally(() => this.#password.forget());
  }

  /** Returns the known parts of the address of the channels. */
  #target(): ChannelTarget {
    return { computer_id: this.id, ...this.#address, ...addressOf(this.#info) };
  }

  /** Requests the password of the channels, and first their address if it is not known. */
  async #freshTarget(signal: AbortSignal): Promise<ChannelTarget> {
    const { realtime_url } = this.#caller.addresses;
    const { instance_id, connection_url } = this.#target();
    const needsInstance = realtime_url?.includes("{instance_id}") ?? connection_url === undefined;
    if (needsInstance && instance_id === undefined) {
      this.#address = addressOf(await this.#caller.call("computers.get", { id: this.id }, { signal }));
    }
    const { password } = await this.#caller.call("computers.vncPassword", { id: this.id }, { signal });
    return { ...this.#target(), password };
  }

  async #workspace(options: CallOptions): Promise<string> {
    if (!this.#known) await this.refresh(options);
    // The core rejects a missing id with an error that names it.
    return (this.#info.workspace_id ?? this.#info.project_id) as string;
  }
}

function addressOf({ instance_id, fly_instance_id, connection_url }: Partial<ComputerInfo>): Partial<ChannelTarget> {
  return defined({ instance_id: instance_id ?? fly_instance_id, connection_url });
}

function withoutSecrets(data: ComputerData): ComputerInfo {
  return Object.freeze({ ...makeSecretsNonEnumerable(data) });
}
