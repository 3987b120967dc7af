import type { AbortSignalLike } from "../ambient.js";
import { Deadline } from "../deadline.js";
import { ConnectionError } from "../errors.js";
import { checkArgument, checkWellFormed } from "../options.js";
import type { Counters, Delivered } from "../types.js";
import type { Terminal } from "./terminal.js";

/** The maximum length of one write, in UTF-16 code units. */
const MAX_PIECE = 1 << 18;

const WRITABLE = "terminal.writable";

/** Writes text of any length to one shell. Waits while the terminal accepts no input. */
export class InputWriter {
  readonly #terminal: Terminal;
  readonly #progress: () => Promise<unknown>;
  /** The counters at the first write. If the channel has reconnected since then, it has another shell. */
  #first: Counters | undefined;
  /** The high surrogate at the end of the last chunk. The next chunk starts with the low surrogate. */
  #highSurrogate = "";

  /** @param progress Waits until more input is acknowledged or may be lost, or the state changes. */
  constructor(terminal: Terminal, progress: () => Promise<unknown>) {
    this.#terminal = terminal;
    this.#progress = progress;
  }

  async write(chunk: string, signal: AbortSignalLike): Promise<void> {
    const operation = WRITABLE;
    checkString(operation, chunk);
    const deadline = new Deadline(operation, undefined, signal);
    const joined = this.#highSurrogate + chunk;
    const length = isHighSurrogate(joined, joined.length - 1) ? joined.length - 1 : joined.length;
    this.#highSurrogate = joined.slice(length);
    checkWellFormed(operation, "text", joined.slice(0, length));
    for (let start = 0; start < length; ) {
      const end = pieceEnd(joined, start, length);
      const delivered = start > 0 ? "maybe" : "no";
      this.#checkShell(operation, delivered);
      if (this.#terminal.refusal === undefined && this.#terminal.write(joined.slice(start, end))) start = end;
      else await deadline.wait(this.#progress(), "the input was not accepted", delivered);
    }
  }

  async close(): Promise<void> {
    checkWellFormed(WRITABLE, "text", this.#highSurrogate);
    await this.#terminal.drained();
  }

  #checkShell(operation: string, delivered: Delivered): void {
    const now = this.#terminal.counters;
    this.#first ??= now;
    const first = this.#first;
    if (this.#terminal.refusal !== "disconnected" && now.reconnects === first.reconnects) return;
    const lost = now.unacknowledged - first.unacknowledged;
    throw connectionLost(operation, lost, delivered);
  }
}

/** Creates the error for input that may not have arrived because the connection was lost. `lost` is its size in bytes. */
export function connectionLost(operation: string, lost: number, delivered: Delivered): ConnectionError {
  const detail = lost > 0 ? `, and the last ${lost} bytes of input may not have arrived` : "";
  return new ConnectionError({ kind: "transport", message: `${operation}: the connection was lost${detail}`, delivered });
}

/** Checks that `text` is a string of well-formed Unicode. */
export function checkText(operation: string, text: unknown): void {
  checkString(operation, text);
  checkWellFormed(operation, "text", text);
}

function checkString(operation: string, text: unknown): void {
  checkArgument(operation, "text", text, { accepts: (value) => typeof value === "string", expected: "a string" });
}

/** Returns the end of the next piece of `text`. A piece does not end within a surrogate pair. */
function pieceEnd(text: string, start: number, length: number): number {
  const end = Math.min(start + MAX_PIECE, length);
  return end < length && isHighSurrogate(text, end - 1) ? end - 1 : end;
}

function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit < 0xdc00;
}
