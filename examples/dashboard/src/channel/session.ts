import type { ConnectedComputer, ConnectionData } from "orgo-sdk";
import type { Api } from "../api/client.js";

/** The selected computer while it is running. The panels open their channels through it. */
export class Session {
  readonly id: string;
  readonly #api: Api;
  readonly #end = new AbortController();
  #connection: Promise<ConnectionData> | undefined;

  constructor(api: Api, id: string) {
    this.#api = api;
    this.id = id;
  }

  /** A signal that is aborted when the computer is no longer selected or no longer running. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Connects to the computer. Fetches the password each time, because the password changes when the computer restarts. */
  async connect(): Promise<ConnectedComputer> {
    // Concurrent calls of `connect` share one request.
    this.#connection ??= this.#api.connection(this.id, this.ended).finally(() => {
      this.#connection = undefined;
    });
    const [{ Orgo }, connection] = await Promise.all([import("orgo-sdk"), this.#connection]);
    return Orgo.connect(connection);
  }

  end(): void {
    this.#end.abort();
  }
}
