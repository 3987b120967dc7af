/** An SDK call that the server made for the page. */
export interface Call {
  at: Date;
  /** The SDK's name for the operation. */
  operation: string;
  /** `ok`, or the HTTP status and the class of the error. */
  outcome: string;
  /** The time from the start of the SDK call on the server until the call ends, in milliseconds. */
  duration: number;
  /** Whether the page makes the call periodically. */
  polling: boolean;
}

type Listener = (call: Call) => void;

/** Notifies listeners of every call in the `Server-Timing` headers of the responses. */
export class CallLog {
  readonly #listeners: Listener[] = [];

  watch(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Parses the calls from a `Server-Timing` header. */
  record(header: string | null, polling: boolean): void {
    const at = new Date();
    for (const [, operation = "", duration, outcome = ""] of (header ?? "").matchAll(/([\w.]+);dur=([\d.]+);desc="([^"]*)"/g)) {
      const call = { at, operation, outcome, duration: Number(duration), polling };
      for (const listener of this.#listeners) listener(call);
    }
  }
}
