import type { Caller } from "../caller.js";
import { Computer } from "../computer.js";
import type { CallOptions } from "../options.js";
import type { Acknowledged, CreateComputerParams, VncPassword } from "../types.js";

/** Computers and their life cycle. */
export class Computers {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * Creates a computer, which then starts by itself: {@link Computer.waitUntilRunning} waits for it. Without further
   * parameters it has Linux, 4 GB of memory, 2 cores and a screen of 1280x720 pixels.
   */
  async create(params: CreateComputerParams, options?: CallOptions): Promise<Computer> {
    const data = await this.#caller.call("computers.create", params, options);
    return new Computer(this.#caller, data, { known: true, owned: true });
  }

  /** Fetches a computer. */
  async get(id: string, options?: CallOptions): Promise<Computer> {
    const data = await this.#caller.call("computers.get", { id }, options);
    return new Computer(this.#caller, data, { known: true, owned: false });
  }

  /** Deletes a computer and its disk. It is stopped first if it runs. */
  delete(id: string, options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call("computers.delete", { id }, options);
  }

  /**
   * Fetches the password of the computer's channels. It changes whenever the computer restarts. It can be read by its
   * name, but printing, `JSON.stringify` and spreading pass it over; {@link Computer.connection} is what to send on.
   */
  vncPassword(id: string, options?: CallOptions): Promise<VncPassword> {
    return this.#caller.call("computers.vncPassword", { id }, options);
  }
}
