import type { AbortSignalLike, WebReadableStream, WebWritableStream } from "../ambient.js";
import type { BindingChannel } from "../binding.js";
import { Bounds } from "../bounded.js";
import { rethrown } from "../errors.js";
import type { TerminalItem } from "../generated/channels.js";
import { checkArgument, checks, checkWaitOptions, type WaitOptions } from "../options.js";
import { readableFrom, writableTo } from "../streams.js";
import type { CloseCause, InputRefusal } from "../types.js";
import { Channel, type ChannelEvents, closed } from "./channel.js";
import { checkText, InputWriter, linkBroke } from "./input.js";

/** The events of a terminal. */
export interface TerminalEvents extends ChannelEvents {
  /**
   * The link was redialled. This is a new shell: directory, variables and running programs of the old one are lost.
   * `unacknowledged` counts the bytes (UTF-8) of input that `write` accepted and that may not have reached the old one:
   * the last ones before the break.
   */
  reconnected: [unacknowledged: number];
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
  readonly #binding: BindingChannel<TerminalItem>;
  #output: string[] = [];
  #exit!: { resolve: (code: number) => void; reject: (error: unknown) => void };
  #readable: WebReadableStream<string> | undefined;
  #writable: WebWritableStream<string> | undefined;
  #progressing: Promise<boolean> | undefined;

  /**
   * The exit code of the shell. Rejects with a {@link ChannelClosedError} when the terminal ended without one. A shell
   * that is held back by output that nobody takes does not come to its end.
   */
  readonly exited: Promise<number> = new Promise((resolve, reject) => {
    this.#exit = { resolve, reject };
  });

  /** @internal */
  constructor(binding: BindingChannel<TerminalItem>) {
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

  /**
   * Sends text to the shell: Enter is `\r`. At most 16 MiB at once; {@link writable} takes any amount.
   *
   * `true`: it is accepted, and arrives whole, once and in order. If the link breaks before the server acknowledges it, the
   * event `reconnected`, or the `cause` of the end, says how many of the last bytes may not have arrived.
   *
   * `false`: nothing of it is sent, and {@link refusal} says why. That is so while the link is down, while the server does
   * not answer (`unstable`), and while 1 MiB waits for the server or for a program that does not read its input.
   *
   * @throws InvalidParameterError for more than 16 MiB, and for half of a surrogate pair: an emoji that is cut in two. {@link writable}
   * joins the halves.
   */
  write(text: string): boolean {
    checkText("terminal.write", text);
    return rethrown(() => this.#binding.command("input", text)) === null;
  }

  /** Why {@link write} would refuse text now; `undefined` if it would accept it. */
  get refusal(): InputRefusal | undefined {
    return (this.#binding.command("refusal") as InputRefusal | null) ?? undefined;
  }

  /**
   * Waits until the server has acknowledged all input that was accepted before. The program in the terminal may not have
   * read all of it by then.
   *
   * @throws ConnectionError if some of it may not have arrived, since the link broke or the terminal ended; TimeoutError.
   */
  async drained(options: WaitOptions = {}): Promise<void> {
    const operation = "terminal.drained";
    checkWaitOptions(operation, options);
    const bounds = new Bounds(operation, options.timeout, options.signal);
    bounds.check("maybe");
    const { acknowledged, pending, unacknowledged: before } = this.counters;
    for (;;) {
      const now = this.counters;
      if (now.acknowledged >= acknowledged + pending) return;
      const lost = now.unacknowledged - before;
      if (lost > 0) throw linkBroke(operation, lost, "maybe");
      await bounds.wait(this.#progress(), "the input was not acknowledged", "maybe");
    }
  }

  /** Tells the shell its new size, in characters. */
  resize(cols: number, rows: number): void {
    checkArgument("terminal.resize", "cols", cols, checks.number);
    checkArgument("terminal.resize", "rows", rows, checks.number);
    rethrown(() => this.#binding.command("resize", { cols, rows }));
  }

  /**
   * The output as a stream, which takes no more than is read from it. Cancelling it leaves the terminal open, and a
   * loop goes on where it stopped.
   */
  get readable(): WebReadableStream<string> {
    this.#readable ??= readableFrom((wanted) => this.nextItem(wanted));
    return this.#readable;
  }

  /**
   * The input as a stream that waits for room, for text of any length. Its writes resolve when the text is accepted, and
   * closing it when all is acknowledged ({@link drained}); the terminal stays open. It breaks with a {@link ConnectionError}
   * when the link does, since the shell that comes later is another one: take a new stream for that one.
   */
  get writable(): WebWritableStream<string> {
    this.#writable ??= this.#openWritable();
    return this.#writable;
  }

  #openWritable(): WebWritableStream<string> {
    const input = new InputWriter(this, () => this.#progress());
    // Of a stream that has ended or is broken nobody can make use.
    const forget = () => {
      this.#writable = undefined;
    };
    const write = (chunk: string, signal: AbortSignalLike) =>
      input.write(chunk, signal).catch((error: unknown) => {
        forget();
        throw error;
      });
    return writableTo(write, () => {
      forget();
      return input.close();
    });
  }

  /** Waits until more input is acknowledged or lost, or the state has changed. Everybody who waits shares one wait. */
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
