import { messageOf } from "../errors.js";

/** The possible sources of a file that a page loads on demand. */
export interface AssetSources<Source> {
  /** Returns the configured source. It has no fallback. */
  configured(): Source | undefined;
  /** Returns the URL. Bundlers may lose the file, and may make the URL invalid. */
  url(): Source | Promise<Source>;
  /** Loads a copy that is embedded in a script. */
  embedded(): Promise<Source>;
  /** Describes what the user can do if the embedded copy was loaded, but cannot be used either. */
  remedy(): string;
}

/** A file that a page loads on demand: from its URL, or else from a copy that is embedded in a script. */
export class Asset<Source> {
  readonly #sources: AssetSources<Source>;
  #embedded: Source | undefined;
  #failure: unknown;

  constructor(sources: AssetSources<Source>) {
    this.#sources = sources;
  }

  /** The error that caused the fallback to the embedded copy. */
  get fallbackCause(): unknown {
    return this.#embedded && this.#failure;
  }

  /** Calls a function with a source. If the function fails with the URL, it is called again with the embedded copy. */
  async use<Result>(use: (source: Source) => Promise<Result>): Promise<Result> {
    const { configured, url, embedded, remedy } = this.#sources;
    const source = configured() ?? this.#embedded;
    if (source !== undefined) return use(source);
    try {
      return await use(await url());
    } catch (error) {
      this.#failure = error;
    }
    let copy: Source | undefined;
    try {
      copy = await embedded();
      const result = await use(copy);
      this.#embedded = copy;
      return result;
    } catch (error) {
      // If the copy was not loaded, the remedy would name a wrong cause.
      const advice = copy === undefined ? "" : `; ${remedy()}`;
      throw new Error(`${messageOf(this.#failure)}; its embedded copy: ${messageOf(error)}${advice}`, { cause: error });
    }
  }
}
