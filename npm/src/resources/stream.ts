import type { Caller } from "../caller.js";
import type { CallOptions } from "../options.js";
import type { Acknowledged, StreamStatus } from "../types.js";

/** The RTMP stream of the screen and the audio of a computer. See {@link Computer} for the errors of every call. */
export class Stream {
  readonly #caller: Caller;
  readonly #id: string;

  /** @internal */
  constructor(caller: Caller, id: string) {
    this.#caller = caller;
    this.#id = id;
  }

  /**
   * Starts a stream.
   *
   * @param connectionName The name of an RTMP connection in the settings of the account.
   */
  start(connectionName: string, options?: CallOptions): Promise<StreamStatus> {
    return this.#caller.call("stream.start", { id: this.#id, connection_name: connectionName }, options);
  }

  /** Returns whether a stream is running. */
  status(options?: CallOptions): Promise<StreamStatus> {
    return this.#caller.call("stream.status", { id: this.#id }, options);
  }

  /** Stops the stream. */
  stop(options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call("stream.stop", { id: this.#id }, options);
  }
}
