import type { Caller } from "../caller.js";
import type { CallOptions } from "../options.js";
import type { Acknowledged, StreamStatus } from "../types.js";

/** The RTMP stream of a computer's screen and sound. */
export class Stream {
  readonly #caller: Caller;
  readonly #id: string;

  /** @internal */
  constructor(caller: Caller, id: string) {
    this.#caller = caller;
    this.#id = id;
  }

  /** Starts to stream to an RTMP connection, by the name under which it is saved in the account's settings. */
  start(connectionName: string, options?: CallOptions): Promise<StreamStatus> {
    return this.#caller.call("stream.start", { id: this.#id, connection_name: connectionName }, options);
  }

  /** Tells whether a stream runs. */
  status(options?: CallOptions): Promise<StreamStatus> {
    return this.#caller.call("stream.status", { id: this.#id }, options);
  }

  /** Ends the stream. */
  stop(options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call("stream.stop", { id: this.#id }, options);
  }
}
