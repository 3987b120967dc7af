// The content of an upload that is read while it is sent.

import type { BlobLike } from "../ambient.js";
import type { BindingSource, PendingCall } from "../binding.js";
import { InvalidParameterError, invalidParameter, messageOf } from "../errors.js";

/** The largest piece that is passed to a binding at once, in bytes. */
export const PIECE = 512 * 1024;

/** What the file of a {@link Source} is. */
export interface SourceFile {
  /** The size in bytes, if it is known. */
  size: number | undefined;
  /** Whether the file can be read more than once. */
  repeatable: boolean;
  /**
   * Starts to read from the first byte. Returns a function that returns the next bytes, which are valid until the next read, or
   * `undefined` at the end.
   */
  read(): () => Promise<unknown>;
  /** Called for each piece. Returns whether nothing else uses it, so that its memory can be freed. Default: something may use it. */
  owns?(piece: Uint8Array): boolean;
  /** Releases the file, also before or during a read. */
  close(): void | Promise<void>;
  /** The file for a request of a page, which the browser reads itself. */
  blob?: BlobLike & { slice(start?: number, end?: number): BlobLike };
  /** How to avoid that the file cannot be read. */
  hint?: string;
}

/** Provides the bytes of a source to the addon. */
export type Provide = (source: Source, pending: PendingCall) => Promise<void>;

/** The content of an upload, for either binding. */
export class Source implements BindingSource {
  readonly #file: SourceFile;
  readonly #provide: Provide | undefined;
  #readNext: (() => Promise<unknown>) | undefined;
  /** The part of a large piece that was not returned yet. */
  #rest: Uint8Array | undefined;
  #spare: ArrayBuffer | undefined;
  #failure: { cause: unknown } | undefined;
  #loaded: number | undefined;

  constructor(file: SourceFile, provide?: Provide) {
    this.#file = file;
    this.#provide = provide;
  }

  get size(): number | undefined {
    return this.#file.size;
  }

  get repeatable(): boolean {
    return this.#file.repeatable;
  }

  get loaded(): number | undefined {
    return this.#loaded;
  }

  /** The memory that can be freed after the bytes of the last read were used. */
  get spare(): ArrayBuffer | undefined {
    return this.#rest === undefined ? this.#spare : undefined;
  }

  body(before: Uint8Array, after: Uint8Array): unknown {
    const { blob } = this.#file;
    return blob === undefined ? this.#pieces(before, after) : new Blob([before, blob, after] as unknown as BlobPart[]);
  }

  async *#pieces(before: Uint8Array, after: Uint8Array): AsyncGenerator<Uint8Array> {
    yield before;
    this.start();
    // The consumer may keep or transfer a piece.
    for (let piece = await this.read(); piece !== undefined; piece = await this.read()) yield piece.slice();
    yield after;
  }

  async problem(): Promise<string | undefined> {
    const { blob } = this.#file;
    try {
      // A browser does not report that it failed to read a Blob.
      await blob?.slice(-1).arrayBuffer();
    } catch (cause) {
      this.#failure ??= { cause };
    }
    return this.#failure && this.#describe(this.#failure.cause);
  }

  /** Starts to read the file from its first byte. */
  start(): void {
    this.#rest = undefined;
    this.#loaded = 0;
    try {
      this.#readNext = this.#file.read();
    } catch (cause) {
      this.#readNext = () => Promise.reject(cause);
    }
  }

  /** Returns the next bytes, which are valid until the next read, or `undefined` at the end. */
  async read(): Promise<Uint8Array | undefined> {
    try {
      let piece = this.#rest ?? (await this.#next());
      // An empty piece ends nothing, but `fetch` would wait for the next one forever.
      while (piece?.length === 0) piece = await this.#next();
      this.#rest = piece && piece.length > PIECE ? piece.subarray(PIECE) : undefined;
      if (this.#rest !== undefined) piece = piece?.subarray(0, PIECE);
      return piece;
    } catch (cause) {
      this.#failure ??= { cause };
      throw new Error(this.#describe(cause), { cause });
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    const { size = Infinity } = this.#file;
    const loaded = this.#loaded ?? 0;
    const piece = await this.#readNext?.();
    if (piece === undefined) {
      if (size !== Infinity && loaded < size) throw new Error(`it ended after ${loaded} of ${size} bytes`);
      return undefined;
    }
    if (!ArrayBuffer.isView(piece) || Object.prototype.toString.call(piece) !== "[object Uint8Array]") {
      throw new Error(
        `it must provide pieces of the type Uint8Array, not ${typeof piece === "object" ? "another type" : typeof piece}`,
      );
    }
    this.#loaded = loaded + piece.byteLength;
    if (this.#loaded > size) throw new Error(`it has more bytes than its size, ${size}`);
    const { buffer } = piece;
    // The memory of a smaller piece may contain other pieces.
    const isWhole = this.#file.owns?.(piece as Uint8Array) && piece.byteLength === buffer.byteLength;
    this.#spare = isWhole ? (buffer as ArrayBuffer) : undefined;
    return piece as Uint8Array;
  }

  #describe(cause: unknown): string {
    const { hint } = this.#file;
    return `${messageOf(cause)}${hint === undefined ? "" : `; ${hint}`}`;
  }

  /** Provides the bytes to the addon, whenever a request has room for them, until the call has ended. */
  provide(pending: PendingCall): Promise<void> | undefined {
    return this.#provide?.(this, pending);
  }

  /** Adds the cause to the error of a call that failed because the file could not be read. */
  explain(error: unknown): unknown {
    if (this.#failure === undefined || !(error instanceof InvalidParameterError) || error.field !== "file") return error;
    return invalidParameter(
      "files.upload",
      "file",
      `cannot be read: ${this.#describe(this.#failure.cause)}`,
      this.#failure.cause,
    );
  }

  /** Releases the file. */
  async close(): Promise<void> {
    await this.#file.close();
  }
}
