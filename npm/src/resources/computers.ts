import type { Caller } from "../caller.js";
import { Computer } from "../computer.js";
import type { CallOptions } from "../options.js";
import type { Acknowledged, CreateComputerParams, VncPassword } from "../types.js";

/** Creates, fetches and deletes computers. See {@link Computer} for the errors of every call. */
export class Computers {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * Creates a computer and starts it. {@link Computer.waitUntilRunning} waits until it runs.
   *
   * @param params Default: Linux, 4 GB of memory, 2 cores and a screen of 1280x720 pixels.
   */
  async create(params: CreateComputerParams, options?: CallOptions): Promise<Computer> {
    const data = await this.#caller.call("computers.create", params, options);
    return new Computer(this.#caller, data, { known: true, owned: true });
  }

  /**
   * Fetches a computer.
   *
   * @throws NotFoundError if it does not exist.
   */
  async get(id: string, options?: CallOptions): Promise<Computer> {
    const data = await this.#caller.call("computers.get", { id }, options);
    return new Computer(this.#caller, data, { known: true, owned: false });
  }

  /** Deletes a computer and its disk. A running computer is stopped first. */
  delete(id: string, options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call("computers.delete", { id }, options);
  }

  /**
   * Fetches the password of the channels of a computer. The password changes at every restart of the computer. Its field in the
   * result is not enumerable: `console.log`, `JSON.stringify` and spreading skip it. To send a password to a page, use
   * {@link Computer.connection}.
   */
  vncPassword(id: string, options?: CallOptions): Promise<VncPassword> {
    return this.#caller.call("computers.vncPassword", { id }, options);
  }
}
