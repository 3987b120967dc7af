import type { ConnectedComputer, ConnectionData } from "orgo-sdk";
import type { Api } from "../api/client.js";

/** The selected computer while it runs. Its panels open their channels by it. */
export class Session {
  readonly id: string;
  readonly #api: Api;
  readonly #end = new AbortController();
  #asking: Promise<ConnectionData> | undefined;

  constructor(api: Api, id: string) {
    this.#api = api;
    this.id = id;
  }

  /** Aborted when the computer is no longer selected or no longer runs. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** The computer's channels. The password is asked for each time, since it changes when the computer restarts. */
  async connect(): Promise<ConnectedComputer> {
    // Panels that begin together share one answer.
    this.#asking ??= this.#api.connection(this.id, this.ended).finally(() => {
      this.#asking = undefined;
    });
    const [{ Orgo }, connection] = await Promise.all([import("orgo-sdk"), this.#asking]);
    return Orgo.connect(connection);
  }

  end(): void {
    this.#end.abort();
  }
}
