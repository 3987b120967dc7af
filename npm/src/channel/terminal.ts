import type { WebReadableStream, WebWritableStream } from "../ambient.js";
import type { BindingTerminal } from "../binding.js";
import { Bounds } from "../bounded.js";
import { ConnectionError, rethrown } from "../errors.js";
import type { TerminalItem } from "../generated/channels.js";
import { checkArgument, checks, checkWaitOptions, type WaitOptions } from "../options.js";
import { readableFrom, writableTo } from "../streams.js";
import type { CloseCause } from "../types.js";
import { Channel, type ChannelEvents, closed } from "./channel.js";

/** The events of a terminal. */
export interface TerminalEvents extends ChannelEvents {
  /** The link was redialled. This is a new shell: directory, variables and running programs of the old one are lost. */
  reconnected: [];
  /** The shell ended, after all of its output. */
  exit: [code: number];
}

/** The size of a terminal. */
export interface TerminalParams {
  /** Columns of characters. Default: 80. */
  cols?: number;
  /** Rows of characters. Default: 24. */
  rows?: number;
}

/**
 * A shell on the computer. Iterate it for its output: text with ANSI escape sequences, in pieces of any length.
 *
 * Output that nobody takes is kept up to a limit. Beyond it the shell is held back, as a program whose pipe is full;
 * a page cannot hold a sender back, so there the terminal ends with the cause `overflow` at a higher limit.
 */
export class Terminal extends Channel<TerminalItem, string, TerminalEvents> {
  readonly #binding: BindingTerminal;
  #output: string[] = [];
  #exit!: { resolve: (code: number) => void; reject: (error: unknown) => void };
  #readable: WebReadableStream<string> | undefined;
  #writable: WebWritableStream<string> | undefined;

  /**
   * The exit code of the shell. Rejects with a {@link ChannelClosedError} when the terminal ended without one. A shell
   * that is held back by output that nobody takes does not come to its end.
   */
  readonly exited: Promise<number> = new Promise((resolve, reject) => {
    this.#exit = { resolve, reject };
  });

  /** @internal */
  constructor(binding: BindingTerminal) {
    super("terminal", binding);
    this.#binding = binding;
    // Nobody has to wait for the exit code, so its absence alone is no uncaught error.
    this.exited.catch(() => {});
  }

  /**
   * {@link exited}, within limits.
   *
   * @throws TimeoutError if the shell does not end in time, ChannelClosedError if the terminal ended without it.
   */
  async waitForExit(options: WaitOptions = {}): Promise<number> {
    const operation = "terminal.waitForExit";
    checkWaitOptions(operation, options);
    return new Bounds(operation, options.timeout, options.signal).wait(this.exited, "the shell did not end");
  }

  /** Sends keystrokes: Enter is `\r`. `false` says that the link is down and they were dropped. */
  write(text: string): boolean {
    checkArgument("terminal.write", "text", text, { ...checks.string, accepts: (value) => typeof value === "string" });
    return this.#binding.input(text);
  }

  /** Tells the shell its new size, in characters. */
  resize(cols: number, rows: number): void {
    checkArgument("terminal.resize", "cols", cols, checks.number);
    checkArgument("terminal.resize", "rows", rows, checks.number);
    rethrown(() => this.#binding.resize(cols, rows));
  }

  /**
   * The output as a stream, which takes no more than is read from it. Cancelling it leaves the terminal open, and a
   * loop goes on where it stopped.
   */
  get readable(): WebReadableStream<string> {
    return (this.#readable ??= readableFrom((wanted) => this.nextItem(wanted)));
  }

  /** The input as a stream. A write fails while the link is down; closing it leaves the terminal open. */
  get writable(): WebWritableStream<string> {
    return (this.#writable ??= writableTo((text) => {
      if (this.write(text)) return;
      const message = "terminal.write: the link is down, the keystrokes were dropped";
      throw new ConnectionError({ kind: "transport", message, delivered: "no" });
    }));
  }

  protected override accept(item: TerminalItem): void {
    switch (item.type) {
      case "output":
        this.#output.push(item.data);
        break;
      case "reconnected":
        this.emit("reconnected");
        break;
      case "error":
        this.emit("error", item.message);
        break;
      case "exit":
        this.#exit.resolve(item.code);
        this.emit("exit", item.code);
    }
  }

  protected override take(): string | undefined {
    return this.#output.length === 0 ? undefined : this.#output.splice(0).join("");
  }

  protected override ended(cause: CloseCause): void {
    // What is left is bounded by the binding's queue and can be taken at once: the exit code is behind it.
    const drain = async () => {
      while (await this.pull());
      throw closed(cause);
    };
    // After an exit code the failure changes nothing.
    drain().catch(this.#exit.reject);
  }
}
