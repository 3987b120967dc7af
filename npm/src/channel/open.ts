import type { BindingParts, ChannelClient, ChannelTarget } from "../binding.js";
import type { Caller } from "../caller.js";
import { Deadline, NOT_OPENED } from "../deadline.js";
import { toOrgoError } from "../errors.js";
import { checkFields, checkOpenOptions, checks, checkTypes, jsonParameters, type OpenOptions } from "../options.js";
import type { Waiting } from "../shared-call.js";
import type { EventType } from "../types.js";
import type { AudioParams, AudioStream } from "./audio.js";
import type { EventStream } from "./events.js";
import type { Screen, ScreenParams } from "./screen.js";
import type { Terminal, TerminalParams } from "./terminal.js";

/** A channel that is opening. */
interface Opening {
  waitUntilOpen(deadline: Deadline): Promise<unknown>;
  close(): Promise<void>;
  answerPasswordRequests(refresh: RefreshTarget): Promise<void>;
  on(event: "error", listener: (message: string) => void): () => void;
}

/** Requests the current password. `refused` is whether the server may have refused the password that was returned last. */
export type RefreshTarget = (refused: boolean) => Waiting<ChannelTarget>;

/** Opens the channels of one computer. */
export class ChannelOpener {
  readonly #caller: Caller;
  readonly #target: () => ChannelTarget;
  readonly #refresh: RefreshTarget | undefined;

  /** @param refresh Returns a fresh password. Without it a refused or missing password ends the channel. */
  constructor(caller: Caller, target: () => ChannelTarget, refresh: RefreshTarget | undefined) {
    this.#caller = caller;
    this.#target = target;
    this.#refresh = refresh;
  }

  async terminal(params: TerminalParams = {}, options: OpenOptions = {}): Promise<Terminal> {
    const operation = "computers.terminal";
    checkFields(operation, "params", params, { cols: checks.any, rows: checks.any });
    const plain = jsonParameters(operation, params);
    return this.#open(
      operation,
      options,
      async (client, target) => {
        const { Terminal } = await this.#caller.platform.classes();
        return new Terminal(await client.open("terminal", target, plain));
      },
      "channels",
    );
  }

  async audio(params: AudioParams = {}, options: OpenOptions = {}): Promise<AudioStream> {
    const operation = "computers.audio";
    const known = { sample_rate: checks.any, channels: checks.any, batch: checks.batch };
    checkFields(operation, "params", params, known);
    const { batch: batch_ms, ...format } = params;
    const plain = jsonParameters(operation, { ...format, batch_ms });
    return this.#open(
      operation,
      options,
      async (client, target, binding) => {
        const { platform } = this.#caller;
        const { AudioStream } = await platform.classes();
        return new AudioStream(await client.open("audio", target, plain), binding, platform, params);
      },
      "channels",
    );
  }

  async events(types: readonly EventType[], options: OpenOptions = {}): Promise<EventStream> {
    const operation = "computers.events";
    const names = checkTypes(operation, types);
    return this.#open(
      operation,
      options,
      async (client, target) => {
        const { EventStream } = await this.#caller.platform.classes();
        return new EventStream(await client.open("events", target, { types: names }));
      },
      "channels",
    );
  }

  async screen(params: ScreenParams = {}, options: OpenOptions = {}): Promise<Screen> {
    const operation = "computers.screen";
    checkFields(operation, "params", params, { view_only: checks.boolean, quality: checks.any });
    const plain = jsonParameters(operation, params);
    return this.#open(
      operation,
      options,
      async (client, target) => {
        const Screen = await this.#caller.platform.screenClass();
        return new Screen(await client.open("screen", target, plain));
      },
      "screen",
    );
  }

  async #open<Opened extends Opening, Name extends "channels" | "screen">(
    operation: string,
    options: OpenOptions,
    create: (client: ChannelClient, target: ChannelTarget, binding: BindingParts[Name]) => Promise<Opened>,
    part: Name,
  ): Promise<Opened> {
    checkOpenOptions(operation, options);
    const { signal, timeout = this.#caller.timeout, maxRetries } = options;
    const deadline = new Deadline(operation, timeout, signal);
    const { client, binding } = await this.#caller.client(part, deadline);
    const target = {
      ...this.#target(),
      ...(this.#refresh && { refreshable: true }),
      ...(maxRetries !== undefined && { max_reconnects: maxRetries }),
    };
    const creating = create(client, target, binding);
    const channel = await deadline.wait(creating, NOT_OPENED, "maybe").catch((thrown: unknown) => {
      // The worker of a channel may start after the wait has ended. Nothing uses the channel then, so it is closed.
      creating.then(
        (unused) => unused.close(),
        () => {},
      );
      throw toOrgoError(thrown);
    });
    const { log } = this.#caller;
    channel.on("error", (message) => log.write("warn", `${operation}: error message from the server: ${message}`));
    if (this.#refresh) channel.answerPasswordRequests(this.#refresh);
    await channel.waitUntilOpen(deadline);
    return channel;
  }
}
