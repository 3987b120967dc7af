/** A call of the SDK, made by the server for the page. */
export interface Call {
  at: Date;
  /** The SDK's name of the operation. */
  operation: string;
  /** `ok`, or the status and the class of the error. */
  outcome: string;
  /** Milliseconds from the server of the page to the service and back. */
  duration: number;
  /** Whether it is one of those that are made again and again by themselves. */
  polling: boolean;
}

type Listener = (call: Call) => void;

/** Tells of every call, as the `Server-Timing` headers of the answers say. */
export class CallLog {
  readonly #listeners: Listener[] = [];

  watch(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Takes the calls out of an answer's header. */
  record(header: string | null, polling: boolean): void {
    const at = new Date();
    for (const [, operation = "", duration, outcome = ""] of (header ?? "").matchAll(/([\w.]+);dur=([\d.]+);desc="([^"]*)"/g)) {
      const call = { at, operation, outcome, duration: Number(duration), polling };
      for (const listener of this.#listeners) listener(call);
    }
  }
}
