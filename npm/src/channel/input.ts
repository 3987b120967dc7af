import type { AbortSignalLike } from "../ambient.js";
import { Bounds } from "../bounded.js";
import { ConnectionError } from "../errors.js";
import { checkArgument, checkWhole } from "../options.js";
import type { Counters, Delivered } from "../types.js";
import type { Terminal } from "./terminal.js";

/** The longest piece that is written at once, in UTF-16 units. */
const PIECE = 1 << 18;

const WRITABLE = "terminal.writable";

/** Writes text of any length to one shell, and waits for room. */
export class InputWriter {
  readonly #terminal: Terminal;
  readonly #progress: () => Promise<unknown>;
  /** The counters when the first text was written: from then on it is that shell. */
  #first: Counters | undefined;
  /** Half of a surrogate pair at the end of a text, which the next one completes. */
  #half = "";

  /** @param progress waits until more input is acknowledged or may be lost, or the state has changed. */
  constructor(terminal: Terminal, progress: () => Promise<unknown>) {
    this.#terminal = terminal;
    this.#progress = progress;
  }

  async write(chunk: string, signal: AbortSignalLike): Promise<void> {
    const operation = WRITABLE;
    checkString(operation, chunk);
    const bounds = new Bounds(operation, undefined, signal);
    const joined = this.#half + chunk;
    const length = isHighSurrogate(joined, joined.length - 1) ? joined.length - 1 : joined.length;
    this.#half = joined.slice(length);
    checkWhole(operation, "text", joined.slice(0, length));
    for (let start = 0; start < length; ) {
      const end = pieceEnd(joined, start, length);
      const delivered = start > 0 ? "maybe" : "no";
      this.#checkShell(operation, delivered);
      if (this.#terminal.refusal === undefined && this.#terminal.write(joined.slice(start, end))) start = end;
      else await bounds.wait(this.#progress(), "the input was not accepted", delivered);
    }
  }

  async close(): Promise<void> {
    checkWhole(WRITABLE, "text", this.#half);
    await this.#terminal.drained();
  }

  #checkShell(operation: string, delivered: Delivered): void {
    const now = this.#terminal.counters;
    this.#first ??= now;
    const first = this.#first;
    if (this.#terminal.refusal !== "disconnected" && now.reconnects === first.reconnects) return;
    const lost = now.unacknowledged - first.unacknowledged;
    throw linkBroke(operation, lost, delivered);
  }
}

/** The error of input that the link's end kept from arriving: `lost` bytes of it, as far as can be known. */
export function linkBroke(operation: string, lost: number, delivered: Delivered): ConnectionError {
  const detail = lost > 0 ? `, and the last ${lost} bytes of input may not have arrived` : "";
  return new ConnectionError({ kind: "transport", message: `${operation}: the link broke${detail}`, delivered });
}

/** Checks text of which no character is cut in two. */
export function checkText(operation: string, text: unknown): void {
  checkString(operation, text);
  checkWhole(operation, "text", text);
}

function checkString(operation: string, text: unknown): void {
  checkArgument(operation, "text", text, { accepts: (value) => typeof value === "string", wanted: "a string" });
}

/** Where a piece of a text ends, not between the halves of a surrogate pair. */
function pieceEnd(text: string, start: number, length: number): number {
  const end = Math.min(start + PIECE, length);
  return end < length && isHighSurrogate(text, end - 1) ? end - 1 : end;
}

function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit < 0xdc00;
}
