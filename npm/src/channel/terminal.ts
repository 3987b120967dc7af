import type { AbortSignalLike, WebReadableStream, WebWritableStream } from "../ambient.js";
import type { BindingTerminal } from "../binding.js";
import { Bounds } from "../bounded.js";
import { ConnectionError, rethrown } from "../errors.js";
import type { TerminalItem } from "../generated/channels.js";
import { checkArgument, checks, checkWaitOptions, type WaitOptions } from "../options.js";
import { readableFrom, writableTo } from "../streams.js";
import type { CloseCause, Counters, Delivered, InputRefusal } from "../types.js";
import { Channel, type ChannelEvents, closed } from "./channel.js";

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
  readonly #binding: BindingTerminal;
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

  /**
   * Sends text to the shell: Enter is `\r`. At most 16 MiB at once; {@link writable} takes any amount.
   *
   * `true`: it is accepted, and arrives whole, once and in order. If the link breaks before the server acknowledges it, the
   * event `reconnected`, or the `cause` of the end, says how many of the last bytes may not have arrived.
   *
   * `false`: nothing of it is sent, and {@link refusal} says why. That is so while the link is down, while the server does
   * not answer (`unstable`), and while 1 MiB waits for the server or for a program that does not read its input.
   *
   * @throws InvalidParameterError for more than 16 MiB.
   */
  write(text: string): boolean {
    checkText("terminal.write", text);
    return rethrown(() => this.#binding.input(text)) === undefined;
  }

  /** Why {@link write} would refuse text now; `undefined` if it would accept it. */
  get refusal(): InputRefusal | undefined {
    return this.#binding.refusal();
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
      if (lost > 0) throw unsent(operation, `the link broke, and the last ${lost} bytes of input may not have arrived`, "maybe");
      await bounds.wait(this.#progress(), "the input was not acknowledged", "maybe");
    }
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

  /**
   * The input as a stream that waits for room, for text of any length. Its writes resolve when the text is accepted, and
   * closing it when all is acknowledged ({@link drained}); the terminal stays open. It breaks with a {@link ConnectionError}
   * when the link does, since the shell that comes later is another one: take a new stream for that one.
   */
  get writable(): WebWritableStream<string> {
    return (this.#writable ??= this.#writableNow());
  }

  #writableNow(): WebWritableStream<string> {
    let first: Counters | undefined;
    const broken = <T>(error: T): T => {
      this.#writable = undefined;
      return error;
    };
    const write = async (text: string, signal: AbortSignalLike) => {
      const operation = "terminal.writable";
      checkText(operation, text);
      const bounds = new Bounds(operation, undefined, signal);
      const { redials, unacknowledged } = (first ??= this.counters);
      for (let start = 0, end = 0; start < text.length; start = end) {
        end = pieceEnd(text, start);
        for (;;) {
          const now = this.counters;
          if (this.refusal === "disconnected" || now.redials !== redials) {
            const lost = now.unacknowledged - unacknowledged;
            const detail = lost > 0 ? `, and the last ${lost} bytes of input may not have arrived` : "";
            throw unsent(operation, `the link broke${detail}`, start > 0 ? "maybe" : "no");
          }
          if (this.refusal === undefined && this.write(text.slice(start, end))) break;
          await bounds.wait(this.#progress(), "the input was not accepted", start > 0 ? "maybe" : "no");
        }
      }
    };
    return writableTo<string>(
      (text, signal) => write(text, signal).catch((error: unknown) => Promise.reject(broken(error))),
      () => {
        this.#writable = undefined;
        return this.drained();
      },
    );
  }

  /** Waits until more input is acknowledged or lost, or the state has changed. Everybody who waits shares one wait. */
  #progress(): Promise<unknown> {
    return (this.#progressing ??= this.#binding.nextProgress().finally(() => {
      this.#progressing = undefined;
    }));
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

/** The longest piece that the writable stream hands to `write`, in UTF-16 units. */
const PIECE = 1 << 18;

/** Where a piece of a text ends, not between the halves of a surrogate pair. */
function pieceEnd(text: string, start: number): number {
  const end = Math.min(start + PIECE, text.length);
  const unit = text.charCodeAt(end - 1);
  return end < text.length && unit >= 0xd800 && unit < 0xdc00 ? end - 1 : end;
}

function checkText(operation: string, text: unknown): void {
  checkArgument(operation, "text", text, { ...checks.string, accepts: (value) => typeof value === "string" });
}

function unsent(operation: string, problem: string, delivered: Delivered): ConnectionError {
  return new ConnectionError({ kind: "transport", message: `${operation}: ${problem}`, delivered });
}
