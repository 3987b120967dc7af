import type { AbortSignalLike, WebReadableStream, WebWritableStream } from "../ambient.js";
import type { BindingChannel } from "../binding.js";
import { Deadline } from "../deadline.js";
import { convertErrors } from "../errors.js";
import type { TerminalItem } from "../generated/channels.js";
import { checkWaitOptions, type WaitOptions } from "../options.js";
import { createReadable, createWritable } from "../streams.js";
import type { CloseCause, InputRefusal } from "../types.js";
import { Channel, type ChannelEvents, channelClosed } from "./channel.js";
import { checkText, connectionLost, InputWriter } from "./input.js";

/** The events of a terminal. */
export interface TerminalEvents extends ChannelEvents {
  /**
   * The terminal has reconnected, to a new shell: the working directory, variables and programs of the old shell are lost.
   * `unacknowledged` is the number of bytes (UTF-8) at the end of the accepted input that may not have reached the old
   * shell.
   */
  reconnected: [unacknowledged: number];
  /** The shell exited. All of its output was delivered before this event. */
  exit: [code: number];
}

/** The initial size of a terminal. */
export interface TerminalParams {
  /** The number of columns. Default: 80. */
  cols?: number;
  /** The number of rows. Default: 24. */
  rows?: number;
}

/**
 * A terminal (PTY) with a shell on the computer. Iterate over it to read its output: text with ANSI escape sequences, in pieces of
 * any length.
 *
 * Unread output is buffered up to 1 MiB. At this limit the programs in the terminal block, like programs that write to a full
 * pipe. In a page the server cannot be slowed down, so the terminal ends with the cause `overflow` at 64 MiB of unread output.
 */
export class Terminal extends Channel<TerminalItem, string, TerminalEvents> {
  readonly #binding: BindingChannel<TerminalItem>;
  #output: string[] = [];
  #exit!: { resolve: (code: number) => void; reject: (error: unknown) => void };
  #readable: WebReadableStream<string> | undefined;
  #writable: WebWritableStream<string> | undefined;
  #progressing: Promise<boolean> | undefined;

  /**
   * Resolves with the exit code of the shell. Rejects with a {@link ChannelClosedError} if the terminal is closed before the
   * shell exits. A shell that is blocked by unread output does not exit.
   */
  readonly exited: Promise<number> = new Promise((resolve, reject) => {
    this.#exit = { resolve, reject };
  });

  /** @internal */
  constructor(binding: BindingChannel<TerminalItem>) {
    super("terminal", ["reconnected", "exit"], binding);
    this.#binding = binding;
    // Prevents an unhandled rejection in a program that does not use `exited`.
    this.exited.catch(() => {});
  }

  /**
   * Waits for the exit code of the shell like {@link exited}, with a time limit and a signal.
   *
   * @throws TimeoutError if the shell does not exit in time; AbortError; ChannelClosedError if the terminal is closed before
   *   the shell exits.
   */
  async waitForExit(options: WaitOptions = {}): Promise<number> {
    const operation = "terminal.waitForExit";
    checkWaitOptions(operation, options);
    return new Deadline(operation, options.timeout, options.signal).wait(this.exited, "the shell did not exit");
  }

  /**
   * Sends text to the shell. The Enter key is `\r`. The maximum is 16 MiB per call; {@link writable} has no maximum.
   *
   * @returns `true` if the text is accepted. It then arrives completely, once and in order. If the connection is lost before
   *   the server acknowledges the text, the event `reconnected` (or the `cause` of the closed channel) reports how many of
   *   the last bytes may not have arrived.
   *
   *   `false` if none of the text is sent: the terminal is disconnected, the server does not respond (`unstable`), or 1 MiB
   *   of input waits for the server or for a program that does not read its input. {@link refusal} is the reason.
   * @throws InvalidParameterError for more than 16 MiB, and for text with half of a surrogate pair, such as half of an emoji.
   *   {@link writable} joins pairs that are split between two chunks.
   */
  write(text: string): boolean {
    checkText("terminal.write", text);
    return convertErrors(() => this.#binding.command("input", text)) === null;
  }

  /** The reason why {@link write} would refuse text now, or `undefined` if it would accept it. */
  get refusal(): InputRefusal | undefined {
    return (this.#binding.command("refusal") as InputRefusal | null) ?? undefined;
  }

  /**
   * Waits until the server has acknowledged all input that was accepted before this call. The program in the terminal may
   * read that input later.
   *
   * @throws ConnectionError if part of the input may not have arrived, because the connection was lost or the terminal was
   *   closed; TimeoutError; AbortError.
   */
  async drained(options: WaitOptions = {}): Promise<void> {
    const operation = "terminal.drained";
    checkWaitOptions(operation, options);
    const deadline = new Deadline(operation, options.timeout, options.signal);
    deadline.throwIfAborted("maybe");
    const { acknowledged, pending, unacknowledged: before } = this.counters;
    for (;;) {
      const now = this.counters;
      if (now.acknowledged >= acknowledged + pending) return;
      const lost = now.unacknowledged - before;
      if (lost > 0) throw connectionLost(operation, lost, "maybe");
      await deadline.wait(this.#progress(), "the input was not acknowledged", "maybe");
    }
  }

  /**
   * Changes the size of the terminal.
   *
   * @param cols The number of columns.
   * @param rows The number of rows.
   * @throws InvalidParameterError for an invalid size.
   */
  resize(cols: number, rows: number): void {
    convertErrors(() => this.#binding.command("resize", { cols, rows }));
  }

  /**
   * The output as a stream, which reads from the terminal only on demand. If the stream is canceled, the terminal stays open: a
   * loop, or the new stream that this property then returns, continues with the next output.
   */
  get readable(): WebReadableStream<string> {
    // A canceled stream cannot be used again.
    const forget = () => {
      this.#readable = undefined;
    };
    this.#readable ??= createReadable((isActive) => this.nextItem(isActive), forget);
    return this.#readable;
  }

  /**
   * The input as a stream for text of any length. A write resolves when the terminal has accepted its text. Closing the stream
   * resolves when the server has acknowledged all of its text, see {@link drained}; the terminal stays open.
   *
   * If the connection is lost, the stream fails with a {@link ConnectionError}, because the terminal reconnects to another
   * shell. This property then returns a new stream for that shell.
   */
  get writable(): WebWritableStream<string> {
    this.#writable ??= this.#openWritable();
    return this.#writable;
  }

  #openWritable(): WebWritableStream<string> {
    const input = new InputWriter(this, () => this.#progress());
    // A closed or failed stream cannot be used again, so `writable` creates a new stream.
    const forget = () => {
      this.#writable = undefined;
    };
    const write = (chunk: string, signal: AbortSignalLike) =>
      input.write(chunk, signal).catch((error: unknown) => {
        forget();
        throw error;
      });
    return createWritable(write, () => {
      forget();
      return input.close();
    });
  }

  /** Waits until more input is acknowledged or lost, or the state changes. Concurrent calls share one promise. */
  #progress(): Promise<unknown> {
    this.#progressing ??= this.#binding.nextProgress().finally(() => {
      this.#progressing = undefined;
    });
    return this.#progressing;
  }

  protected override accept(item: TerminalItem): void {
    switch (item.type) {
      case "output":
        this.#output.push(item.data);
        break;
      case "reconnected":
        this.emit("reconnected", item.unacknowledged);
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
    // The pieces are not joined: the engine allocates a large string outside of its heap for new objects, which is slow.
    return this.#output.shift();
  }

  protected override onClosed(cause: CloseCause): void {
    // Reads the remaining items, because the exit code is the last one. The queue of the binding limits their number.
    const drain = async () => {
      while (await this.pull());
      throw channelClosed(cause);
    };
    // The rejection has no effect if an exit code was found.
    drain().catch(this.#exit.reject);
  }
}
