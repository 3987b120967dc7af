import { asyncDispose } from "./ambient.js";
import type { ChannelTarget } from "./binding.js";
import { Bounds } from "./bounded.js";
import type { Caller } from "./caller.js";
import type { AudioParams, AudioStream } from "./channel/audio.js";
import type { EventStream } from "./channel/events.js";
import { ChannelOpener } from "./channel/open.js";
import type { Terminal, TerminalParams } from "./channel/terminal.js";
import { Connection } from "./connection.js";
import { ComputerStateError, NotFoundError, TimeoutError } from "./errors.js";
import { type CallOptions, checkCallOptions, checks, type OpenOptions } from "./options.js";
import { ComputerFiles } from "./resources/files.js";
import { Stream } from "./resources/stream.js";
import { hideSecrets } from "./secrets.js";
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

/** What is known of a computer. Its password is not part of it. */
export type ComputerInfo = Readonly<Omit<ComputerData, "vnc_password">>;

/** A picture of the screen. */
export interface Screenshot {
  /** The encoded picture. */
  data: Uint8Array;
  /** `image/png` or `image/jpeg`. */
  mime_type: string;
  /** In pixels, read from the picture itself. */
  width: number;
  /** In pixels, read from the picture itself. */
  height: number;
}

/** The options of a screenshot. */
export interface ScreenshotOptions extends CallOptions, TakeScreenshotParams {}

type Inspect = (value: unknown, options: object) => string;

const DEFAULT_BOOT = 120_000;
/** How long a computer may be unknown at first: a new one takes a while to be found everywhere. */
const UNKNOWN_AT_FIRST = 10_000;
const SHORTEST_PAUSE = 250;
const LONGEST_PAUSE = 3_000;

/** A status of the server's for an error's message: one that is no plain name is not shown. */
const shown = (status = "unknown") => (/^\w{1,40}$/.test(status) ? status : "unknown");

/**
 * A computer: a handle by which everything on it is done. It holds no connection, so there is nothing to close.
 *
 * `await using computer = await orgo.computers.create(...)` deletes the computer at the end of the block. A handle
 * from `get` or `computer(id)` deletes nothing.
 */
export class Computer {
  /** Its UUID. */
  readonly id: string;
  /** Its stream to an RTMP server. */
  readonly stream: Stream;
  /** Its files. */
  readonly files: ComputerFiles;
  readonly #caller: Caller;
  readonly #channels: ChannelOpener;
  #info: ComputerInfo;
  #known: boolean;
  #owned: boolean;

  /** @internal */
  constructor(caller: Caller, data: ComputerData, { known, owned }: { known: boolean; owned: boolean }) {
    this.#caller = caller;
    this.#info = withoutSecrets(data);
    this.#known = known;
    this.#owned = owned;
    this.#channels = new ChannelOpener(caller, () => this.#target());
    this.id = data.id;
    this.stream = new Stream(caller, data.id);
    this.files = new ComputerFiles(caller, data.id, (options) => this.#workspace(options));
  }

  /** What the server said of it last: after `get`, `create`, `refresh` and `waitUntilRunning`. */
  get info(): ComputerInfo {
    return this.#info;
  }

  /** Fetches {@link info} anew. */
  async refresh(options?: CallOptions): Promise<ComputerInfo> {
    this.#info = withoutSecrets(await this.#caller.call("computers.get", { id: this.id }, options));
    this.#known = true;
    return this.#info;
  }

  /**
   * Waits until the computer runs. Just after its creation it may be unknown for some seconds.
   *
   * @param options `timeout` limits the whole wait, in milliseconds. Default: 120000.
   * @throws ComputerStateError at once if the computer is broken, TimeoutError if it takes too long.
   */
  async waitUntilRunning(options: CallOptions = {}): Promise<ComputerInfo> {
    const operation = "computers.waitUntilRunning";
    checkCallOptions(operation, options);
    const { timeout = DEFAULT_BOOT, ...each } = options;
    const bounds = new Bounds(operation, timeout, options.signal);
    for (let pause = SHORTEST_PAUSE; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE)) {
      try {
        const { status } = await this.refresh({ ...each, totalTimeout: Math.max(Math.ceil(bounds.left), 1) });
        if (status === "running") return this.#info;
        if (status === "error" || status === "deleting") {
          const message = `${operation}: the computer does not come to run: its status is ${status}`;
          throw new ComputerStateError({ kind: "computer", message, delivered: "no" });
        }
      } catch (error) {
        // The limit that ran out is then this one's, and is told in its words.
        const late = error instanceof TimeoutError && bounds.left < 1;
        const unknown = error instanceof NotFoundError && timeout - bounds.left <= UNKNOWN_AT_FIRST;
        if (!late && !unknown) throw error;
      }
      await bounds.pause(pause, `the computer did not run (${shown(this.#info.status)})`);
    }
  }

  /** Starts it, if it is stopped. */
  start(options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call("computers.start", { id: this.id }, options);
  }

  /** Stops it. Its disk is kept, its processes are lost. */
  stop(options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call("computers.stop", { id: this.id }, options);
  }

  /** Restarts it. Its password changes, so connections that were given out no longer work. */
  restart(options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call("computers.restart", { id: this.id }, options);
  }

  /** Deletes it and its disk. It is stopped first if it runs. */
  async delete(options?: CallOptions): Promise<Acknowledged> {
    const acknowledged = await this.#caller.call("computers.delete", { id: this.id }, options);
    this.#owned = false;
    return acknowledged;
  }

  /**
   * Takes a picture of the screen: `data` is a PNG or JPEG file, as `mime_type` says. `format` and `scale` ask for a smaller
   * one; a server that does not know them sends its usual one, so see `width` and `height`.
   */
  async screenshot(options: ScreenshotOptions = {}): Promise<Screenshot> {
    const operation = "computers.screenshot";
    checkCallOptions(operation, options, { format: checks.string, scale: checks.number });
    const { format, scale, ...rest } = options;
    const params = { id: this.id, ...(format !== undefined && { format }), ...(scale !== undefined && { scale }) };
    const { value, bytes } = await this.#caller.exchange(operation, params, rest);
    return { data: bytes, ...value };
  }

  /** Clicks at a point of the screen, in pixels from its upper left corner. `button` is `left` if not given. */
  click(params: ClickParams, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.call("computers.click", { ...params, id: this.id }, options);
  }

  /** Drags from one point of the screen to another, in pixels; `duration` is in seconds, 0.5 if not given. */
  drag(params: DragParams, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.call("computers.drag", { ...params, id: this.id }, options);
  }

  /** Types text into the focused window. */
  type(text: string, params?: TypeTextParams, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.call("computers.type", { ...params, text, id: this.id }, options);
  }

  /** Presses a key or a combination of keys, as `Enter`, `Tab` or `ctrl+c`. */
  key(key: string, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.call("computers.key", { key, id: this.id }, options);
  }

  /** Turns the mouse wheel by `amount` notches, 3 if not given. */
  scroll(params: ScrollParams, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.call("computers.scroll", { ...params, id: this.id }, options);
  }

  /** Waits on the computer, for at most 60 seconds. */
  wait(seconds: number, options?: CallOptions): Promise<ActionResult> {
    return this.#caller.call("computers.wait", { duration: seconds, id: this.id }, options);
  }

  /**
   * Runs a command in a shell and waits for its end.
   *
   * @param params `timeout` is the server's limit, in seconds. To limit the call itself, use the options.
   */
  bash(command: string, params?: RunBashParams, options?: CallOptions): Promise<BashResult> {
    return this.#caller.call("computers.bash", { ...params, command, id: this.id }, options);
  }

  /**
   * Runs Python code in a fresh interpreter and waits for its end. An exception is part of the result, not an error.
   *
   * @param params `timeout` is the server's limit, in seconds, 10 if not given. To limit the call itself, use the
   * options.
   */
  exec(code: string, params?: ExecPythonParams, options?: CallOptions): Promise<ExecResult> {
    return this.#caller.call("computers.exec", { ...params, code, id: this.id }, options);
  }

  /**
   * Opens a shell. Resolves once the server has accepted it.
   *
   * @throws ChannelClosedError if the server refuses it, with the cause.
   */
  terminal(params?: TerminalParams, options?: OpenOptions): Promise<Terminal> {
    return this.#channels.terminal(params, options);
  }

  /**
   * Listens to the computer's sound. Resolves once the server has accepted it.
   *
   * @throws ChannelClosedError if the server refuses it, with the cause.
   */
  audio(params?: AudioParams, options?: OpenOptions): Promise<AudioStream> {
    return this.#channels.audio(params, options);
  }

  /**
   * Watches what happens on the desktop. Resolves once the server has accepted it.
   *
   * @throws ChannelClosedError if the server refuses it, with the cause.
   */
  events(types: readonly EventType[], options?: OpenOptions): Promise<EventStream> {
    return this.#channels.events(types, options);
  }

  /** What a page needs to open this computer's channels with `Orgo.connect`, without the API key. */
  async connection(options?: CallOptions): Promise<Connection> {
    const rest = this.#caller.sharing("computers.connection", options);
    const { password } = await this.#caller.call("computers.vncPassword", { id: this.id }, rest());
    if (this.#instance === undefined && this.#info.connection_url === undefined) await this.refresh(rest());
    return new Connection({ ...this.#target(), ...this.#caller.addresses, password });
  }

  /**
   * What `console.log` shows of it in Node: id, name and status.
   *
   * @internal
   */
  [Symbol.for("nodejs.util.inspect.custom")](depth: number, options: object, inspect: Inspect): string {
    if (depth < 0) return "[Computer]";
    const { name, status } = this.#info;
    const shown = { id: this.id, ...(name !== undefined && { name }), ...(status !== undefined && { status }) };
    return `Computer ${inspect(shown, options)}`;
  }

  /** Deletes the computer if this handle came from `create`. */
  async [asyncDispose](): Promise<void> {
    if (this.#owned) await this.delete();
  }

  /** Where the channels are, as far as that is known. The binding asks the server for the rest. */
  #target(): ChannelTarget {
    const { connection_url } = this.#info;
    return {
      computer_id: this.id,
      ...(this.#instance !== undefined && { instance_id: this.#instance }),
      ...(connection_url !== undefined && { connection_url }),
    };
  }

  get #instance(): string | undefined {
    return this.#info.instance_id ?? this.#info.fly_instance_id;
  }

  async #workspace(options: CallOptions): Promise<string> {
    if (!this.#known) await this.refresh(options);
    // The core refuses an absent one by name.
    return (this.#info.workspace_id ?? this.#info.project_id) as string;
  }
}

function withoutSecrets(data: ComputerData): ComputerInfo {
  return Object.freeze({ ...hideSecrets(data) });
}
